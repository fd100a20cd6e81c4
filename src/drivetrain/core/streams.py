"""The seam between a stream of messages and whoever reads it: what a broker's client must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import msgspec

from drivetrain.core.clock import Micros

Positions: TypeAlias = Mapping[str, str]
"""Lane → where its last message that was read stands. A lane is what has an order of its own: a partition."""


class Message(msgspec.Struct, frozen=True):
    """One message."""

    lane: str
    position: str
    value: bytes | Mapping[str, str] | None
    """Its body; fields, where a broker has them; nothing, for one that says that its key is gone."""
    key: str | None = None
    at: Micros = 0
    """When the broker got it."""


class Lane(msgspec.Struct, frozen=True):
    """What a broker holds of a lane."""

    last: str
    """Position of its newest message."""
    waiting: int | None = None
    """How many messages are behind the position that was asked about, if the broker can tell."""
    lost: int = 0
    """How many messages were removed before they were read."""


class StreamClient(Protocol):
    """A broker's stream, read from positions that the reader keeps; made from ``(url, name, options)``.

    Whatever it raises is a :class:`~drivetrain.core.errors.SourceError`; one that trying again may mend is a
    :class:`~drivetrain.core.errors.SourceAway`.
    """

    def lanes(self, after: Positions) -> dict[str, Lane]:
        """Every lane that has a message, with what is behind the positions."""
        ...

    def take(self, after: Positions, upto: Positions, most: int) -> list[Message]:
        """Messages behind ``after``, those of a lane in their order; none beyond ``upto``, and none when it is reached.

        Args:
            after: Where reading has come to; a lane that is not named is read from its beginning.
            upto: Where it is to end.
            most: How many messages at most.
        """
        ...

    def acknowledge(self, after: Positions) -> None:
        """Tells the broker what has been kept for good, for whoever watches there; nothing depends on it."""
        ...

    def close(self) -> None:
        """Lets go of the connection."""
        ...
