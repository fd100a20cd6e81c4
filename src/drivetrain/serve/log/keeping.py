"""What of a request the log keeps: all of it, unless a field is secret or the log is a sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from drivetrain.serve.log.frame import embed
from drivetrain.serve.routing.assignment import uniform

WITHHELD = "(secret)"
"""What stands in the log in place of a secret value."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Keeping:
    """What the log of one endpoint keeps.

    A request is in a sample or it is not, by its id: sent again it is what it was, its shadow and its labels go with
    it, and every worker agrees.

    Args:
        secret: Fields whose values are never kept.
        share: Share of requests that are kept.
    """

    def __init__(self, secret: Iterable[str], share: float) -> None:
        self._secret = tuple(secret)
        self._share = share
        self.whole = not self._secret and share >= 1.0
        """Whether everything is kept as it came."""
        self.weight = 1.0 / share
        """How many requests one that is kept stands for."""

    def keeps(self, request_id: str) -> bool:
        """Whether a request is in the sample."""
        return self._share >= 1.0 or uniform("log", request_id) < self._share

    def request(self, raw: msgspec.Raw) -> msgspec.Raw:
        """An instance as the log keeps it."""
        if not self._secret:
            return embed(raw)
        instance = _decode(raw)
        for name in self._secret:
            if instance.get(name) is not None:
                instance[name] = WITHHELD
        return embed(msgspec.Raw(_encode(instance)))
