"""What of a request the log keeps: all of it, unless its class forbids it, it is treated, or the log is a sample."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from math import nan
from typing import Any, Protocol

import msgspec

from drivetrain.data.treatment import WITHHELD
from drivetrain.serve.log.frame import embed
from drivetrain.serve.routing.assignment import uniform

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Treats(Protocol):
    """What is done to values of requests, a :class:`~drivetrain.serve.treating.RequestTreating`."""

    def __bool__(self) -> bool:
        """Whether anything is."""
        ...

    def instance(self, values: dict[str, Any], /) -> None:
        """Puts what is kept in the place of values as they came, JSON."""
        ...


class Keeping:
    """What the log of one endpoint keeps.

    A request is in a sample or it is not, by its id: sent again it is what it was, its shadow and its labels go with
    it, and every worker agrees.

    Args:
        withheld: Fields and features whose values are never kept.
        share: Share of requests that are kept.
        treats: What is done to fields of a request.
    """

    def __init__(self, withheld: Collection[str], share: float, treats: Treats | None = None) -> None:
        self._withheld = tuple(sorted(withheld))
        self._share = share
        self._treats = treats or None
        self.whole = not self._withheld and not self._treats and share >= 1.0
        """Whether everything is kept as it came."""
        self.weight = 1.0 / share
        """How many requests one that is kept stands for."""
        self.blank = lru_cache(64)(self._blank)
        """Names of a version's inputs → places of the values that are not kept."""

    def keeps(self, request_id: str) -> bool:
        """Whether a request is in the sample."""
        return self._share >= 1.0 or uniform("log", request_id) < self._share

    def request(self, raw: msgspec.Raw) -> msgspec.Raw:
        """An instance as the log keeps it."""
        if not self._withheld and self._treats is None:
            return embed(raw)
        instance = _decode(raw)
        if self._treats is not None:
            self._treats.instance(instance)
        for name in self._withheld:
            if instance.get(name) is not None:
                instance[name] = WITHHELD
        return embed(msgspec.Raw(_encode(instance)))

    def values(self, names: tuple[str, ...], values: list[float]) -> list[float]:
        """A version's input, of these names, as the log keeps it."""
        blank = self.blank(names) if self._withheld else None
        return [nan if at in blank else value for at, value in enumerate(values)] if blank else values

    def _blank(self, names: tuple[str, ...]) -> frozenset[int]:
        return frozenset(at for at, name in enumerate(names) if name in self._withheld)
