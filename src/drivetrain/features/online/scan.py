"""Features from an entity's events themselves: at any moment, whatever is pending, whatever is asked."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.aggregate import Kind
from drivetrain.features.exact import Floats, Pair, two_product
from drivetrain.features.moments import Moments
from drivetrain.features.online.choose import most_frequent, quantile_of
from drivetrain.features.online.history import Head, History
from drivetrain.features.online.layout import NEVER, PUSHED, Layout
from drivetrain.features.online.pending import Event, kind_of, number_of, pending_of
from drivetrain.features.online.row import Values
from drivetrain.features.online.tiles import moments_from
from drivetrain.features.view import Feature

_EXACT = 2.0**53
_LONG = 512
"""Values of a window from which on it is worth keeping prefix sums of the whole history."""


@dataclass(frozen=True, eq=False)
class Span:
    """The events of one window that a moment sees.

    Attributes:
        begin: Place of the first.
        until: Place after the last.
        hidden: Places between the two that are not seen, in order.
    """

    begin: int
    until: int
    hidden: Sequence[int]

    def of(self, column: list[float]) -> list[float]:
        """What a column has there."""
        if not self.hidden:
            return column[self.begin : self.until]
        seen = []
        begin = self.begin
        for place in self.hidden:
            seen += column[begin:place]
            begin = place + 1
        return seen + column[begin : self.until]


class Scan:
    """One entity's events, to be asked about any moment.

    A window that reaches trimmed events is null, and so is a whole history at a moment when a trimmed event was not
    known yet, and a lookup that only a trimmed event could answer.

    Args:
        layout: How rows lie in bytes.
        head: The entity's head.
        history: Its packed events, by event time and sequence.
    """

    def __init__(self, layout: Layout, head: Head, history: History) -> None:
        self._layout = layout
        self._trimmed = head.trimmed
        self._base = head.base
        self._tiles = head.tiles
        self._event: list[int] = history.event.tolist()
        self._available: list[int] = history.available.tolist()
        self._columns: list[list[float]] = history.values.tolist()
        self._kinds = head.tail.kinds
        self._texts = head.tail.texts
        if head.pending:
            self._take(pending_of(head.pending, layout), history)
        self._known = max(self._available, default=0)
        self._slowest: int | None = None
        self._sums: dict[int, tuple[Floats, Floats] | None] = {}

    def read(self, at: Micros) -> tuple[Values, float]:
        """Features, and the age of the newest known event in seconds (NaN if there is none)."""
        until = bisect_right(self._event, at)
        hidden: list[int] = [] if self._known <= at else self._hidden(at, until)
        while hidden and hidden[-1] == until - 1:
            hidden.pop()
            until -= 1
        spans: dict[tuple[Micros | None, Micros], Span] = {}
        clean: dict[tuple[int, int, int], list[float]] = {}
        values: list[Any] = []
        for feature in self._layout.view.columns:
            if feature.looked_up:
                values.append(self._looked_up(feature, at, until, hidden))
                continue
            begin = feature.begin(at)
            asked = (begin, feature.offset)
            span = spans.get(asked)
            if span is None:
                span = spans[asked] = self._span(begin, at - feature.offset, until, hidden)
            values.append(self._aggregate(feature, at, begin, span, clean))
        return values, (at - self._event[until - 1]) / SECOND if until else math.nan

    def _take(self, pending: list[Event], history: History) -> None:
        """Puts pending events where they belong, but those that the table has brought."""
        sequences, identities = history.sequence.tolist(), history.identity.tolist()
        fresh = {event.identity for event in pending}
        confirmed = set()
        for place in reversed(range(len(identities))):
            if identities[place] in fresh:
                if sequences[place] < PUSHED:
                    confirmed.add(identities[place])
                else:
                    del self._event[place], self._available[place]
                    for column in self._columns:
                        del column[place]
        events = [event for event in pending if event.identity not in confirmed] if confirmed else pending
        if not events:
            return
        texts = {text: at for at, text in enumerate(self._texts)}
        kinds = list(self._kinds)
        fresh_columns = list(zip(*[event.values for event in events], strict=True))
        for at in range(len(kinds)):
            if kinds[at] == "n" and all(map(math.isnan, self._columns[at])):
                kinds[at] = kind_of(fresh_columns[at])
        columns = [
            [number_of(value, kind, texts) for value in column]
            for kind, column in zip_longest(kinds, fresh_columns, fillvalue="n")
        ]
        self._texts, self._kinds = list(texts), "".join(kinds)
        times = [event.time for event in events]
        places = sorted(range(len(events)), key=times.__getitem__)
        if self._event and times[places[0]] < self._event[-1]:
            self._insert(events, columns)
            return
        self._event += [times[at] for at in places]
        self._available += [events[at].available for at in places]
        for mine, new in zip(self._columns, columns, strict=True):
            mine += [new[at] for at in places]

    def _insert(self, events: list[Event], columns: list[list[float]]) -> None:
        for number, event in enumerate(events):
            place = bisect_right(self._event, event.time)
            self._event.insert(place, event.time)
            self._available.insert(place, event.available)
            for mine, new in zip(self._columns, columns, strict=True):
                mine.insert(place, new[number])

    def _hidden(self, at: Micros, until: int) -> list[int]:
        """Places of events that had happened but were not known; no event was hidden for longer than the slowest."""
        event, available = self._event, self._available
        if self._slowest is None:
            self._slowest = max((known - time for known, time in zip(available, event, strict=True)), default=0)
        begin = bisect_left(event, at - self._slowest, 0, until)
        return [place for place in range(begin, until) if available[place] > at]

    def _span(self, begin: Micros | None, end: Micros, until: int, hidden: list[int]) -> Span:
        stop = bisect_right(self._event, end, 0, until)
        start = 0 if begin is None else bisect_right(self._event, begin, 0, stop)
        if hidden:
            hidden = hidden[bisect_left(hidden, start) : bisect_left(hidden, stop)]
        return Span(start, stop, hidden)

    def _aggregate(
        self,
        feature: Feature,
        at: Micros,
        begin: Micros | None,
        span: Span,
        clean: dict[tuple[int, int, int], list[float]],
    ) -> float | bool | str | None:
        trimmed_event, trimmed_known, limit = self._trimmed
        unseen = begin is None or begin < trimmed_event
        short = trimmed_event + feature.offset > at if begin is None else begin < limit
        if short or (unseen and trimmed_known > at):
            return math.nan
        stored = self._layout.stored.index(feature.input) if feature.input in self._layout.stored else None
        trimmed = self._of_trimmed(feature, begin) if unseen and trimmed_event > NEVER else None
        if stored is None:
            rows = float(span.until - span.begin - len(span.hidden))
            return rows if trimmed is None else rows + float(trimmed.count[0])
        long = span.until - span.begin > _LONG and trimmed is None
        if long and (quick := self._difference(feature, stored, span)) is not None:
            return quick
        key = (stored, span.begin, span.until)
        values = clean.get(key)
        if values is None:
            seen = span.of(self._columns[stored])
            total = math.fsum(seen)  # NaN if one of them is
            values = clean[key] = [value for value in seen if not math.isnan(value)] if math.isnan(total) else seen
        if trimmed is not None:
            return float(_moments_of(values).plus(trimmed).finish(feature.kind)[0])
        return self._of(feature, stored, values)

    def _of_trimmed(self, feature: Feature, begin: Micros | None) -> Moments | None:
        """Moments of the trimmed events in a window; none where there are none."""
        if begin is None:
            return moments_from(self._base[self._layout.bases.index(feature.input)][None])
        starts, states = self._tiles
        since = states[np.searchsorted(starts, begin) :, self._layout.tiled.index(feature.input)]
        if not len(since):
            return None
        whole = moments_from(since[:1])
        for at in range(1, len(since)):
            whole = whole.plus(moments_from(since[at : at + 1]))
        return whole

    def _of(self, feature: Feature, stored: int, values: list[float]) -> float | bool | str | None:
        if feature.kind == "top":
            return self._most_frequent(feature, stored, values)
        if not values and feature.kind not in ("count", "distinct"):
            return math.nan
        return _MADE[feature.kind](values, feature.argument or 0.0)

    def _most_frequent(self, feature: Feature, stored: int, values: list[float]) -> float | bool | str | None:
        kind, rank = self._kinds[stored], int(feature.argument or 0)
        if kind == "t":
            return most_frequent([self._texts[int(value)] for value in values], rank)
        found = most_frequent(values, rank)
        if kind == "b":
            return None if found is None else bool(found)
        return math.nan if found is None else found

    def _difference(self, feature: Feature, stored: int, span: Span) -> float | None:
        """The aggregate from prefix sums, less the hidden events; none where that would not be exact."""
        if feature.kind not in ("count", "sum", "mean", "share") or feature.window is None:
            return None
        if stored not in self._sums:
            self._sums[stored] = _prefixes(np.array(self._columns[stored]))
        prefixes = self._sums[stored]
        if prefixes is None:
            return None
        counts, totals = prefixes
        count = float(counts[span.until] - counts[span.begin])
        total = float(totals[span.until] - totals[span.begin])
        column = self._columns[stored]
        for place in span.hidden:
            if not math.isnan(column[place]):
                count -= 1.0
                total -= column[place]
        if feature.kind == "count":
            return count
        if count == 0:
            return math.nan
        return total if feature.kind == "sum" else total / count

    def _looked_up(self, feature: Feature, at: Micros, until: int, hidden: list[int]) -> float | bool | str | None:
        layout, position = self._layout, feature.input
        members = None
        if position in layout.members:
            members = self._columns[len(layout.stored) + layout.members.index(position)]
        place, left = until - 1, int(feature.argument or 0)
        unseen = set(hidden)
        while place >= 0:
            if place not in unseen and (members is None or members[place] > 0):
                if not left:
                    break
                left -= 1
            place -= 1
        ttl = layout.view.ttl
        found = place >= 0 and (ttl is None or self._event[place] > at - ttl)
        if feature.kind == "since":
            return (at - self._event[place]) / SECOND if found else math.nan
        if position not in layout.stored:
            return 1.0 if found else math.nan
        stored = layout.stored.index(position)
        number = self._columns[stored][place] if found else math.nan
        kind = self._kinds[stored]
        if kind == "n":
            return number
        if math.isnan(number):
            return None
        return bool(number) if kind == "b" else self._texts[int(number)]


def _prefixes(values: Floats) -> tuple[Floats, Floats] | None:
    """How many values there are before each place, and their sums; none unless every sum is exact.

    Whole numbers that stay below 2**53, as delays in minutes and shares are, add up exactly in any order.
    """
    valid = ~np.isnan(values)
    clean = np.where(valid, values, 0.0)
    if not (clean == np.rint(clean)).all() or float(np.abs(clean).sum()) >= _EXACT:
        return None
    return np.concatenate([[0.0], np.cumsum(valid)]), np.concatenate([[0.0], np.cumsum(clean)])


def _moments_of(values: list[float]) -> Moments:
    vector = np.array(values)
    return Moments(
        np.array([float(len(values))]),
        _total(vector),
        _total(*two_product(vector, vector)),
        np.array([vector.min(initial=np.inf)]),
        np.array([vector.max(initial=-np.inf)]),
    )


def _total(values: Floats, more: Floats | None = None) -> Pair:
    """The exact sum as a pair."""
    whole = not len(values) or (bool((values == np.rint(values)).all()) and len(values) * np.abs(values).max() < _EXACT)
    if whole and (more is None or not more.any()):
        return np.array([values.sum()]), np.zeros(1)
    parts: list[float] = values.tolist() + ([] if more is None else more.tolist())
    high = math.fsum(parts)
    return np.array([high]), np.array([math.fsum([*parts, -high])])


_MADE: dict[Kind, Callable[[list[float], float], float]] = {
    "count": lambda values, _: float(len(values)),
    "distinct": lambda values, _: float(len(set(values))),
    "sum": lambda values, _: math.fsum(values),
    "mean": lambda values, _: math.fsum(values) / len(values),
    "share": lambda values, _: math.fsum(values) / len(values),
    "min": lambda values, _: min(values),
    "max": lambda values, _: max(values),
    "std": lambda values, _: float(_moments_of(values).finish("std")[0]),
    "quantile": quantile_of,
}
"""Aggregates of the values in a window, of which there are some; the second argument is the feature's."""
