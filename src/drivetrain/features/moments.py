"""What every aggregate is made from: counts, exact sums, sums of squares and extremes of ranges of events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from drivetrain.features.aggregate import Kind
from drivetrain.features.exact import Floats, Pair, Places, Prefix, add, std_of, two_product
from drivetrain.features.extremes import Sight, smallest_between, smallest_visible
from drivetrain.features.timeline import Timeline

LARGEST = 2.0**480
"""Magnitudes from here on count as infinite, and so for nothing: their squares would overflow."""


@dataclass(frozen=True, eq=False)
class Span:
    """The events that moments see in their windows: known ones, less those that left the window.

    Attributes:
        timeline: Events that may count; with ``left`` and ``known`` as places in its two orders.
        sight: Who looks, when, and how far back; may be left out where both orders are one.
        left: Place after the last event that left the window.
        known: Place after the last known event.
    """

    timeline: Timeline
    sight: Sight | None
    left: Places
    known: Places

    @classmethod
    def of(cls, timeline: Timeline, sight: Sight) -> Span:
        """The span of a window; the timeline must hold no event known only after it left the window."""
        return cls(timeline, sight, sight.left(timeline), timeline.known(sight.entity, sight.moment))


@dataclass(frozen=True, eq=False)
class Moments:
    """Numbers of ranges of values that add up when ranges are put together; only those that are asked for."""

    count: Floats
    total: Pair | None = None
    squares: Pair | None = None
    smallest: Floats | None = None
    largest: Floats | None = None

    def finish(self, kind: Kind) -> Floats:
        """The aggregate of each range; NaN where it is null."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if kind == "sum" and self.total is not None:
                return np.where(self.count > 0, self.total[0], np.nan)
            if kind in ("mean", "share") and self.total is not None:
                return np.where(self.count > 0, self.total[0] / self.count, np.nan)
            if kind == "std" and self.total is not None and self.squares is not None:
                return std_of(self.count, self.total, self.squares)
            if kind == "min" and self.smallest is not None:
                return np.where(self.count > 0, self.smallest, np.nan)
            if kind == "max" and self.largest is not None:
                return np.where(self.count > 0, self.largest, np.nan)
        return self.count

    def plus(self, other: Moments) -> Moments:
        """The moments of both ranges together; what one of them was not asked for is left out."""
        return Moments(
            self.count + other.count,
            None if self.total is None or other.total is None else add(self.total, other.total),
            None if self.squares is None or other.squares is None else add(self.squares, other.squares),
            None if self.smallest is None or other.smallest is None else np.minimum(self.smallest, other.smallest),
            None if self.largest is None or other.largest is None else np.maximum(self.largest, other.largest),
        )


class Tally:
    """Values of a timeline's events, prepared so that the moments of any span cost a few look-ups."""

    def __init__(self, timeline: Timeline, values: Floats | None, kinds: Collection[Kind]) -> None:
        """Prepares.

        Args:
            timeline: The events.
            values: Their values in the timeline's order, NaN for null; none where only rows are counted.
            kinds: What will be asked.
        """
        self._timeline = timeline
        self._sums = values is not None and bool({"sum", "mean", "share", "std"} & set(kinds))
        self._valid: _Orders | None = None
        self._low = self._high = None
        if values is None:
            return
        valid = ~np.isnan(values)
        if not valid.all():
            self._valid = _Orders(timeline, valid.astype(np.float64))
        if self._sums:
            finite = values if self._valid is None else np.where(valid, values, 0.0)
            self._total = _Orders(timeline, finite)
            self._squares = _Orders(timeline, *two_product(finite, finite)) if "std" in kinds else None
        self._low = np.where(valid, values, np.inf) if "min" in kinds else None
        self._high = np.where(valid, -values, np.inf) if "max" in kinds else None

    def moments(self, span: Span) -> Moments:
        """The moments of each of the span's windows."""
        rows = (span.known - span.left).astype(np.float64)
        return Moments(
            rows if self._valid is None else self._valid.during(span)[0],
            self._total.during(span) if self._sums else None,
            self._squares.during(span) if self._sums and self._squares is not None else None,
            None if self._low is None else self._smallest(self._low, span),
            None if self._high is None else -self._smallest(self._high, span),
        )

    def _smallest(self, values: Floats, span: Span) -> Floats:
        if self._timeline.in_order or span.sight is None:
            return smallest_between(values, span.left, span.known)
        return smallest_visible(self._timeline, values, span.sight)


class _Orders:
    """Prefix sums in order of availability and in order of event time; one serves as both where the orders agree."""

    def __init__(self, timeline: Timeline, values: Floats, more: Floats | None = None) -> None:
        order = timeline.available_order
        self._by_event = Prefix(values, more)
        self._by_known = None if order is None else Prefix(values[order], None if more is None else more[order])

    def during(self, span: Span) -> Pair:
        return (self._by_known or self._by_event).between(span.left, span.known, self._by_event)
