"""Features at moments before an entity's newest events were known, from its history."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.exact import Floats, Pair, two_product
from drivetrain.features.moments import Moments
from drivetrain.features.online.history import Head, History
from drivetrain.features.online.layout import Layout
from drivetrain.features.online.pack import moments_from, typed
from drivetrain.features.online.row import Values
from drivetrain.features.view import Feature

_EXACT = 2.0**53


@dataclass(frozen=True, eq=False)
class Column:
    """One input's values with their prefix sums.

    Attributes:
        values: The values, NaN for null.
        counts: How many values there are before each place; one longer than ``values``.
        totals: Their sums, likewise.
        exact: Whether every sum is exact: whole numbers that stay below 2**53, as delays in minutes and shares are.
    """

    values: Floats
    counts: Floats
    totals: Floats
    exact: bool

    @classmethod
    def of(cls, values: Floats) -> Column:
        """Prepares."""
        valid = ~np.isnan(values)
        clean = np.where(valid, values, 0.0)
        counts = np.concatenate([[0.0], np.cumsum(valid)])
        totals = np.concatenate([[0.0], np.cumsum(clean)])
        exact = bool((clean == np.rint(clean)).all()) and float(np.abs(clean).sum()) < _EXACT
        return cls(values, counts, totals, exact)

    def between(self, begin: int, until: int) -> tuple[float, float]:
        """Count and sum of the values in ``[begin, until)``."""
        return float(self.counts[until] - self.counts[begin]), float(self.totals[until] - self.totals[begin])


@dataclass(frozen=True, eq=False)
class Past:
    """One entity's history, to be asked about moments at which part of it was not known yet.

    A window that reaches trimmed events is null, and so is a whole history at a moment when a trimmed event was not
    known yet, and a lookup that only a trimmed event could answer.

    Attributes:
        layout: How rows lie in bytes.
        head: The entity's head.
        history: Its events, by event time and sequence.
    """

    layout: Layout
    head: Head
    history: History

    def read(self, at: Micros) -> tuple[Values, float]:
        """Features, and the age of the newest known event in seconds (NaN if there is none)."""
        until = bisect_right(self._events, at)
        hidden = self._hidden(at, until)
        begins = {window: bisect_right(self._events, at - window) for window in self._windows}
        values: Values = [
            self._last(feature, at, until)
            if feature.looked_up
            else self._aggregate(feature, at, (0 if feature.window is None else begins[feature.window], until), hidden)
            for feature in self.layout.view.columns
        ]
        newest = self._newest(at, until)
        return values, (at - self._events[newest]) / SECOND if newest >= 0 else math.nan

    @cached_property
    def _events(self) -> memoryview:
        """Event times, to be searched without numpy's overhead."""
        return np.ascontiguousarray(self.history.event).data

    @cached_property
    def _available(self) -> memoryview:
        return np.ascontiguousarray(self.history.available).data

    @cached_property
    def _windows(self) -> frozenset[Micros]:
        """The finite windows that are asked for."""
        columns = self.layout.view.columns
        return frozenset(feature.window for feature in columns if feature.window is not None)

    @cached_property
    def _slowest(self) -> Micros:
        """The longest that any event took to be known."""
        return int((self.history.available - self.history.event).max(initial=0))

    @cached_property
    def _columns(self) -> dict[int, Column]:
        """Prefix sums by stored input, made when first asked for."""
        return {}

    def _column(self, stored: int) -> Column | None:
        column = self._columns.get(stored)
        if column is None:
            column = self._columns[stored] = Column.of(self.history.values[stored])
        return column if column.exact else None

    def _hidden(self, at: Micros, until: int) -> list[int]:
        """Places of events that had happened but were not known; no event was hidden for longer than the slowest."""
        begin = bisect_left(self._events, at - self._slowest, 0, until)
        return [begin + place for place in np.flatnonzero(self.history.available[begin:until] > at).tolist()]

    def _newest(self, at: Micros, until: int, members: Floats | None = None) -> int:
        """Place of the last known event, among the members if there are any; -1 if there is none."""
        place = until - 1
        while place >= 0 and (self._available[place] > at or (members is not None and not members[place] > 0)):
            place -= 1
        return place

    def _aggregate(self, feature: Feature, at: Micros, span: tuple[int, int], hidden: list[int]) -> float:
        layout, (begin, until) = self.layout, span
        trimmed_event, trimmed_known = self.head.trimmed
        if (at < trimmed_known) if feature.window is None else (at - feature.window < trimmed_event):
            return math.nan
        if feature.window is not None and (quick := self._difference(feature, begin, until, hidden)) is not None:
            return quick
        moments = self._moments(feature, self.history.available[begin:until] <= at, begin)
        if feature.window is None:
            moments = moments.plus(moments_from(self.head.base[layout.bases.index(feature.input)][None]))
        return float(moments.finish(feature.kind)[0])

    def _difference(self, feature: Feature, begin: int, until: int, hidden: list[int]) -> float | None:
        """The aggregate from prefix sums, less the hidden events; none where that would not be exact."""
        unseen = [place for place in hidden if place >= begin]
        if feature.input not in self.layout.stored:
            return float(until - begin - len(unseen))
        if feature.kind not in ("count", "sum", "mean", "share"):
            return None
        column = self._column(self.layout.stored.index(feature.input))
        if column is None:
            return None
        count, total = column.between(begin, until)
        for place in unseen:
            value = float(column.values[place])
            if not math.isnan(value):
                count -= 1.0
                total -= value
        if feature.kind == "count":
            return count
        if count == 0:
            return math.nan
        return total if feature.kind == "sum" else total / count

    def _moments(self, feature: Feature, known: npt.NDArray[np.bool_], begin: int) -> Moments:
        """Moments of the known events from a place on."""
        if feature.input not in self.layout.stored:
            return Moments(np.array([np.count_nonzero(known)], dtype=np.float64))
        column = self.history.values[self.layout.stored.index(feature.input)]
        values = column[begin : begin + len(known)][known]
        values = values[~np.isnan(values)]
        count = np.array([len(values)], dtype=np.float64)
        if feature.kind in ("sum", "mean", "share", "std"):
            squares = _total(*two_product(values, values)) if feature.kind == "std" else None
            return Moments(count, _total(values), squares)
        if feature.kind == "min":
            return Moments(count, smallest=np.array([values.min(initial=np.inf)]))
        if feature.kind == "max":
            return Moments(count, largest=np.array([values.max(initial=-np.inf)]))
        return Moments(count)

    def _last(self, feature: Feature, at: Micros, until: int) -> float | bool | str | None:
        layout, history, position = self.layout, self.history, feature.input
        members = None
        if position in layout.members:
            members = history.values[len(layout.stored) + layout.members.index(position)]
        place = self._newest(at, until, members)
        ttl = layout.view.ttl
        found = place >= 0 and (ttl is None or self._events[place] > at - ttl)
        if position not in layout.stored:
            return 1.0 if found else math.nan
        stored = layout.stored.index(position)
        number = float(history.values[stored][place]) if found else math.nan
        if history.kinds[stored] == "n":
            return number
        return typed(np.array([number]), history.kinds[stored], history.texts)[0]


def _total(values: Floats, more: Floats | None = None) -> Pair:
    """The exact sum as a pair.

    Whole numbers, as delays in minutes and shares are, add up exactly in any order while the sum stays below 2**53: no
    compensation is needed, and it is many times faster.
    """
    whole = not len(values) or (bool((values == np.rint(values)).all()) and len(values) * np.abs(values).max() < _EXACT)
    if whole and (more is None or not more.any()):
        return np.array([values.sum()]), np.zeros(1)
    parts: list[float] = values.tolist() + ([] if more is None else more.tolist())
    high = math.fsum(parts)
    return np.array([high]), np.array([math.fsum([*parts, -high])])
