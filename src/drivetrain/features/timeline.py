"""Events of many entities in order, and where moments fall among them.

Every place counts over the whole timeline: entity after entity, each entity's events in order. So a prefix sum over the
timeline serves every entity, and a moment's place among an entity's events is one binary search of a sorted vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import Micros
from drivetrain.features.bounds import Bounds
from drivetrain.features.exact import Places

_LIMIT = 1 << 62


@dataclass(frozen=True, eq=False)
class Axis:
    """One integer for an entity and a moment, ordered by both.

    Attributes:
        base: Just before the first moment of any event.
        width: How many integers an entity takes.
        moments: Every moment there is, sorted, where the plain difference would not fit into 62 bits; else none.
    """

    base: int
    width: int
    moments: Places | None

    @classmethod
    def over(cls, times: Places, entities: int) -> Axis:
        """The axis of events at these times."""
        base, last = (int(times.min()) - 1, int(times.max())) if len(times) else (0, 0)
        width = last - base + 1
        if width * max(entities, 1) < _LIMIT:
            return cls(base, width, None)
        moments = np.unique(times)
        return cls(base, len(moments) + 1, moments)

    def of_events(self, entity: Places, times: Places) -> Places:
        """Integers of the events that the axis was made over."""
        if self.moments is not None:
            return entity * self.width + np.searchsorted(self.moments, times, side="right")
        keys = np.multiply(entity, self.width, dtype=np.int64)
        keys += times
        keys -= self.base
        return keys

    def at(self, entity: Places, moment: Places) -> Places:
        """Integers of entities at any moments; one outside the events' is moved to just before or to the last."""
        if self.moments is not None:
            return entity * self.width + np.searchsorted(self.moments, moment, side="right")
        return entity * self.width + (np.clip(moment, self.base, self.base + self.width - 1) - self.base)

    def entity(self, keys: Places) -> Places:
        """Entities of integers."""
        return keys // self.width

    def moment(self, keys: Places, entity: Places) -> Places:
        """Moments of events' integers."""
        place = keys - entity * self.width
        return place + self.base if self.moments is None else self.moments[place - 1]


@dataclass(frozen=True, eq=False)
class Placed:
    """Events placed on an axis, in the order of the rows they came from.

    All that sorting them needs: the vectors they were placed by can go before, as sorting is when most is held at once.

    Attributes:
        kept: Which rows are events; none if all are.
        keys: The axis's integer of each event.
        axis: The axis.
        delay: Microseconds from each event until it is known; one number if all take as long.
        entities: How many entities there are.
    """

    kept: npt.NDArray[np.bool_] | None
    keys: Places
    axis: Axis
    delay: Places | Micros
    entities: int

    @classmethod
    def of(cls, entity: Places, event: Places, available: Places, entities: int) -> Placed:
        """Places events; the arguments are those of :meth:`Timeline.of`."""
        there = entity >= 0
        kept = None if there.all() else there
        axis = Axis.over(event if kept is None else event[kept], entities)
        keys = axis.of_events(entity, event)
        if kept is not None:
            keys = keys[kept]
        delay: Places | Micros = 0
        late = available > event
        if (late if kept is None else late & kept).any():
            delays = np.maximum(available - event, 0)
            delays = delays if kept is None else delays[kept]
            delay = int(delays[0]) if (delays == delays[0]).all() else delays
        return cls(kept, keys, axis, delay, entities)


class Timeline:
    """Events sorted by entity, event time and sequence.

    Attributes:
        rows: Row of each event in the table the events came from.
        starts: Place of each entity's first event, and past the last entity the number of events.
        in_order: Whether events become known in the order they happen.
    """

    def __init__(self, rows: Places, keys: Places, axis: Axis, delay: Places | Micros, entities: int) -> None:
        """Takes sorted events.

        Args:
            rows: Row of each event.
            keys: The axis's integer of each, sorted.
            axis: The axis.
            delay: Microseconds from each event until it is known; one number if all take as long.
            entities: How many entities there are.
        """
        self.rows = rows
        self.starts = np.searchsorted(keys, np.arange(entities + 1) * axis.width)
        self._keys = keys
        self._axis = axis
        self._delay = delay
        self._entities = entities
        # Where all take as long, events are known in their order, at moments that much later.
        self._lag = delay if isinstance(delay, int) else 0
        self._known_axis = axis if isinstance(delay, int) else Axis.over(self.available, entities)
        self.in_order = isinstance(delay, int) or bool((self._known_keys[1:] >= self._known_keys[:-1]).all())

    @classmethod
    def of(cls, entity: Places, event: Places, available: Places, sequence: Places, entities: int) -> Timeline:
        """Sorts events.

        Args:
            entity: Entity of each row, from 0 on; below 0 leaves the row out.
            event: Event times, microseconds.
            available: When rows became known; earlier than the event counts as the event time.
            sequence: Order of ingestion; of events at the same time, the greatest is the last.
            entities: How many entities there are.
        """
        return cls.sorted(Placed.of(entity, event, available, entities), lambda: sequence)

    @classmethod
    def sorted(cls, events: Placed, sequence: Callable[[], Places]) -> Timeline:
        """Sorts events that are placed on an axis.

        Args:
            events: The events.
            sequence: Gives the order of ingestion of all rows they came from; called only where events tie.
        """
        order = np.argsort(events.keys)
        keys = events.keys[order]
        delay = events.delay if isinstance(events.delay, int) else events.delay[order]
        rows = order if events.kept is None else np.flatnonzero(events.kept)[order]
        tied = np.flatnonzero(keys[1:] == keys[:-1])
        if len(tied):
            members = np.union1d(tied, tied + 1)
            again = np.lexsort((rows[members], sequence()[rows[members]], keys[members]))
            rows[members] = rows[members][again]
            if isinstance(delay, np.ndarray):
                delay[members] = delay[members][again]
        return cls(rows, keys, events.axis, delay, events.entities)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def entity(self) -> Places:
        """Entity of each event, from 0 on."""
        return self._axis.entity(self._keys)

    @cached_property
    def event(self) -> Places:
        """Event times, microseconds."""
        return self._axis.moment(self._keys, self.entity)

    @cached_property
    def available(self) -> Places:
        """When each event became known, microseconds; never before its event time."""
        return self.event + self._delay

    @cached_property
    def available_order(self) -> Places | None:
        """Places of events in the order they become known; none if that is their order already."""
        return None if self.in_order else np.argsort(self._known_keys)

    @cached_property
    def _known_keys(self) -> Places:
        """Integers of when events become known, by place."""
        if isinstance(self._delay, int):
            return self._keys
        return self._known_axis.of_events(self.entity, self.available)

    @cached_property
    def _known_sorted(self) -> Places:
        return self._known_keys if self.in_order else np.sort(self._known_keys)

    def event_at(self, place: Places) -> Places:
        """Event times at places."""
        keys = self._keys[place]
        return self._axis.moment(keys, self._axis.entity(keys))

    def happened(self, entity: Places, moment: Places) -> Places:
        """Place after the last event of each entity with event time at most the moment."""
        return np.searchsorted(self._keys, self._axis.at(entity, moment), side="right")

    def known(self, entity: Places, moment: Places) -> Places:
        """Place after the last event known at the moment, in order of availability."""
        return np.searchsorted(self._known_sorted, self._known_at(entity, moment), side="right")

    def newest_known(self, entity: Places, moment: Places, ranks: Sequence[int] = (0,)) -> list[Places]:
        """Places of the newest events (by event time, then sequence) known at the moment; -1 where there is none.

        Args:
            entity: Entities asked for.
            moment: Moments, microseconds.
            ranks: Which of the newest: 0 is the newest, 1 the one before it.
        """
        if not len(self):
            return [np.full(len(entity), -1) for _ in ranks]
        until = self.known(entity, moment)
        there = until - self.starts[entity]
        before = np.maximum(until - 1, 0)
        if self.available_order is None:
            return [np.where(there > rank, before - rank, -1) for rank in ranks]
        found = {}
        # Of the first 1, 2, … n events to be known: the greatest place, then what it pushed out, and so on.
        pushed = self.available_order
        for rank in range(max(ranks) + 1):
            greatest = np.maximum.accumulate(pushed)
            found[rank] = np.where(there > rank, greatest[before], -1) if rank in ranks else greatest[:0]
            pushed = np.concatenate([[-1], np.minimum(pushed[1:], greatest[:-1])])
        return [found[rank] for rank in ranks]

    def all_known(self, entity: Places, moment: Places) -> Places:
        """Place of the first event not known at the moment: all events before it are."""
        keys = np.maximum.accumulate(self._known_keys)
        return np.searchsorted(keys, self._known_at(entity, moment), side="right")

    def none_known(self, entity: Places, moment: Places) -> Places:
        """Place after the last event known at the moment: none from it on is."""
        keys = np.minimum.accumulate(self._known_keys[::-1])[::-1]
        return np.searchsorted(keys, self._known_at(entity, moment), side="right")

    def _known_at(self, entity: Places, moment: Places) -> Places:
        """Integers that compare with those of when events become known."""
        return self._known_axis.at(entity, moment - self._lag if self._lag else moment)

    def only(self, kept: npt.NDArray[np.bool_]) -> Timeline:
        """The timeline of some of the events."""
        delay = self._delay if isinstance(self._delay, int) else self._delay[kept]
        return Timeline(self.rows[kept], self._keys[kept], self._axis, delay, self._entities)

    def all_known_at_once(self) -> Timeline:
        """The same events, each known as soon as it happens."""
        known = isinstance(self._delay, int) and not self._delay
        return self if known else Timeline(self.rows, self._keys, self._axis, 0, self._entities)

    def after(self, delay: Micros) -> Timeline:
        """The same events, none of them known before this many microseconds have passed."""
        if not delay:
            return self
        longer = max(self._delay, delay) if isinstance(self._delay, int) else np.maximum(self._delay, delay)
        return Timeline(self.rows, self._keys, self._axis, longer, self._entities)

    def within(self, bounds: Bounds) -> Timeline:
        """Without events that become known when they have left the window already; itself if there are none."""
        if bounds.window is None or (self.lag is not None and self.lag < bounds.window + bounds.offset):
            return self
        reach = bounds.window + bounds.offset
        kept = self.delay < reach if bounds.hop is None else self.available < bounds.leaving(self.event)
        return self if kept.all() else self.only(kept)

    @property
    def lag(self) -> Micros | None:
        """Microseconds from every event until it is known; none if they differ."""
        return self._delay if isinstance(self._delay, int) else None

    @property
    def delay(self) -> Places:
        """Microseconds from each event until it is known."""
        return np.full(len(self), self._delay) if isinstance(self._delay, int) else self._delay
