"""A version's errors, followed one by one as labels come."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.measure import Measure


class ErrorRise(msgspec.Struct, frozen=True, kw_only=True):
    """A change after which a version errs more.

    Attributes:
        found: Moment of the prediction with whose error it was found.
        began: Moment of the first prediction after it, as far as the detector can tell.
        before: Mean error before it.
        after: Mean error since.
        labels: Errors that had been seen when it was found.
    """

    found: Micros
    began: Micros
    before: Measure
    after: Measure
    labels: int = 0


class Concept(msgspec.Struct, frozen=True, kw_only=True):
    """How a version's errors stand.

    Attributes:
        detector: Which detector follows them.
        loss: What an error is, in words.
        labels: Errors that it has seen.
        error: Their mean since the last change, of whichever way; none where there is none yet.
        rise: The change that stands; none where the version errs no more than it did.
        note: Why nothing is followed; empty where something is.
    """

    detector: str
    loss: str = ""
    labels: int = 0
    error: Measure | None = None
    rise: ErrorRise | None = None
    note: str = ""


class ErrorChunk(msgspec.Struct, frozen=True, array_like=True):
    """Errors of one day that followed one another.

    Attributes:
        at: Moment of the first one's prediction.
        count: How many.
        total: Their sum.
        squares: The sum of their squares.
    """

    at: Micros
    count: int
    total: float
    squares: float


class CountedDay(msgspec.Struct, frozen=True, array_like=True):
    """Which predictions of a day have had their error counted.

    Attributes:
        below: Only predictions whose mark lies below it are followed; 2^32 where all are.
        marks: Marks of those counted, four bytes each.
        closed: Whether no more is waited for.
    """

    below: int
    marks: bytes = b""
    closed: bool = False


class ErrorStream(Record, frozen=True, kw_only=True):
    """The errors of one version on one endpoint, as far as they have been followed.

    Attributes:
        endpoint: Where it answers.
        version: Its number.
        detector: Which detector.
        state: What the detector is between two looks.
        seen: Errors it has taken.
        regime: How many errors lay before the last change.
        chunks: The errors that means are made of, in the order they were taken.
        rise: The change that stands.
        days: Day since 1970 → what of it was counted.
        first: The first day.
    """

    kind = "error_stream"

    endpoint: str
    version: int
    detector: str
    state: bytes = b""
    seen: int = 0
    regime: int = 0
    chunks: tuple[ErrorChunk, ...] = ()
    rise: ErrorRise | None = None
    days: dict[int, CountedDay] = {}
    first: int = 0

    @property
    def key(self) -> str:
        """``endpoint@version``."""
        return f"{self.endpoint}@{self.version}"

    @property
    def subject(self) -> str:
        """The endpoint's name."""
        return self.endpoint
