"""Smallest value of ranges, and of the events that a moment can see.

Ranges come from a sparse table that is rolled level by level, so that one level is in memory at a time. What a moment
sees of a window need not be a range: some events may not be known yet. Events are then looked at one by one only
between the first unknown and the last known one; where late rows make that stretch long, events are parted by their
delay, for in each part the stretch is as long as its delays differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drivetrain.features.exact import Floats, Places
from drivetrain.features.timeline import Timeline

_CHUNK = 1 << 22
_DEPTH = 6


@dataclass(frozen=True, eq=False)
class Sight:
    """Who looks, when, and how far back.

    Attributes:
        entity: Entities asked for.
        moment: Moments, microseconds.
        begin: Moments after which events are in their windows; none for the whole history.
    """

    entity: Places
    moment: Places
    begin: Places | None

    def left(self, timeline: Timeline) -> Places:
        """Place after the last event that left each window."""
        if self.begin is None:
            return timeline.starts[self.entity]
        return timeline.happened(self.entity, self.begin)


def smallest_between(values: Floats, start: Places, stop: Places) -> Floats:
    """Smallest value from each start up to, not including, its stop; +inf of an empty range."""
    result = np.full(len(start), np.inf)
    length = np.maximum(stop - start, 0)
    level = np.frexp(length.astype(np.float64))[1] - 1
    table = values
    for step in range(int(level.max(initial=-1)) + 1):
        asked = np.flatnonzero(level == step)
        result[asked] = np.minimum(table[start[asked]], table[stop[asked] - (1 << step)])
        table = np.minimum(table[: -(1 << step)], table[1 << step :]) if len(table) > 1 << step else table[:0]
    return result


def smallest_visible(timeline: Timeline, values: Floats, asked: Sight, depth: int = _DEPTH) -> Floats:
    """Smallest value of the events that each moment sees in its window; +inf where it sees none.

    Args:
        timeline: The events.
        values: Their values, in the timeline's order; +inf counts for nothing.
        asked: Who looks, when, and how far back.
        depth: How often events may still be parted by delay.
    """
    entity, moment = asked.entity, asked.moment
    start = asked.left(timeline)
    if timeline.in_order:
        return smallest_between(values, start, timeline.known(entity, moment))
    sure = timeline.all_known(entity, moment)
    begin = np.maximum(start, sure)
    count = np.maximum(timeline.none_known(entity, moment) - begin, 0)
    delay = timeline.delay
    if depth and count.sum() > 4 * (len(moment) + len(timeline)):
        middle = np.median(delay)
        prompt = delay <= middle if (delay > middle).any() else delay < middle
        parts = [smallest_visible(timeline.only(part), values[part], asked, depth - 1) for part in (prompt, ~prompt)]
        return np.minimum(*parts)
    result = smallest_between(values, start, sure)
    for some, least in _looked_at(timeline.available, values, moment, begin, count):
        result[some] = np.minimum(result[some], least)
    return result


def _looked_at(
    available: Places, values: Floats, moment: Places, begin: Places, count: Places
) -> Iterator[tuple[Places, Floats]]:
    """Which moments see any of the ``count`` events from ``begin`` on, and the smallest value each of them sees."""
    asked = np.flatnonzero(count)
    ends = np.cumsum(count[asked])
    first = 0
    while first < len(asked):
        done = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, done + _CHUNK, side="right")), first + 1)
        some = asked[first:last]
        many = count[some]
        offsets = np.cumsum(many) - many
        places = np.arange(many.sum()) + np.repeat(begin[some] - offsets, many)
        seen = np.where(available[places] <= np.repeat(moment[some], many), values[places], np.inf)
        yield some, np.minimum.reduceat(seen, offsets)
        first = last
