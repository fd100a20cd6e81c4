"""What the watch saw of a table, or of a feature view, in a window of event time."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.monitoring import FeatureDrift
from drivetrain.core.records.table import ColumnType


class Usual(msgspec.Struct, frozen=True):
    """A figure of a window beside what such windows had before.

    ``low`` and ``high`` are what chance may reach, the smallest change worth a word counted in; none where there were
    too few windows to say.
    """

    value: float
    middle: float | None = None
    """Half of the windows before had less."""
    low: float | None = None
    high: float | None = None
    windows: int = 0
    """How many windows before there were."""

    @property
    def judged(self) -> bool:
        """Whether there was enough to hold it against."""
        return self.low is not None or self.high is not None

    @property
    def odd(self) -> bool:
        """Whether it lies beyond what chance may reach."""
        return (self.low is not None and self.value < self.low) or (self.high is not None and self.value > self.high)


class ColumnSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the window.

    Of a column whose privacy class may not be shown (``masked``) no value is kept: neither a least nor a greatest one,
    and no category.
    """

    name: str
    dtype: str
    type: Literal["number", "boolean", "category", "counted"]
    """``counted`` are times, lists and bytes: their nulls are counted, and no more."""
    masked: bool = False
    nulls: Usual
    """Share of rows without a value."""
    infinite: Usual | None = None
    """Share of rows with an infinite one, of numbers."""
    low: float | None = None
    """The least finite value."""
    high: float | None = None
    reference_low: float | None = None
    reference_high: float | None = None
    outside: float = 0.0
    """Share of values that lie further outside the reference's range than half of its width; 0 where the reference is
    too short to say, and of numbers that run with time."""
    unseen: Usual | None = None
    """Share of rows with a category that the reference lacks."""
    new: tuple[str, ...] = ()
    """Such categories, those that make up a hundredth of the window, the commonest first."""
    constant: bool = False
    """Whether it has one value only, where every window before had several."""
    note: str = ""
    """Why something was not measured."""


class DataReport(Record, frozen=True, kw_only=True):
    """One table, or one feature view, over one window of event time; ``at`` is the window's end."""

    kind = "watch"

    watched: str
    """``table:flights`` or ``features:plane_history``."""
    table: str
    since: Micros
    until: Micros
    reference_since: Micros = 0
    reference_until: Micros = 0
    reference_rows: int = 0
    rows: int = 0
    """Rows of the window known by its end; of a view, sampled pairs of entity and time."""
    volume: Usual | None = None
    """Those rows; of a view, entities that have events."""
    freshness: Usual | None = None
    """Seconds from the newest event to the window's end."""
    arrival: Usual | None = None
    """Seconds until half of the rows were known."""
    age: Usual | None = None
    """Of a view: half of the values are younger, in seconds."""
    expired: Usual | None = None
    """Of a view: share of pairs whose newest event is older than the time to live."""
    never: Usual | None = None
    """Of a view: share of pairs before any event of their entity was known."""
    quarantined: Usual | None = None
    """Share of delivered rows that the contract refused."""
    reasons: dict[str, Usual] = {}
    """The same by reason."""
    versions: tuple[int, ...] = ()
    """Versions of the table that brought the window's rows."""
    schema: tuple[ColumnType, ...] = ()
    changed: tuple[str, ...] = ()
    """Columns that came, went, or changed type since the window before; one that is watched and not there."""
    columns: tuple[ColumnSeen, ...] = ()
    drift: tuple[FeatureDrift, ...] = ()
    further: tuple[FeatureDrift, ...] = ()
    """What further statistics say of the same columns."""
    notes: tuple[str, ...] = ()
    """What could not be judged, and why."""
    missing: str = ""
    """Why there is nothing to look at: no such table, or rows without a time; empty where there is."""
    unread: bool = False
    """Whether it could not be read, so that the next look tries again."""
    looked: Micros = 0
    """The moment as of which it was looked at."""

    @property
    def key(self) -> str:
        """``watched@since-until``."""
        return f"{self.watched}@{self.since}-{self.until}"

    @property
    def subject(self) -> str:
        """What is watched."""
        return self.watched

    @property
    def endpoint(self) -> str:
        """What alerts go by: the same."""
        return self.watched
