"""Events of many entities in order, and where moments fall among them.

Every place counts over the whole timeline: entity after entity, each entity's events in order. So a prefix sum over the
timeline serves every entity, and a moment's place among an entity's events is one binary search of a sorted vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import Micros
from drivetrain.features.exact import Places

_LIMIT = 1 << 62


@dataclass(frozen=True, eq=False)
class Axis:
    """One integer for an entity and a moment, ordered by both.

    Attributes:
        base: First moment of any event.
        width: How many integers an entity takes.
        moments: Every moment there is, sorted, where the plain difference would not fit into 62 bits; else none.
    """

    base: int
    width: int
    moments: Places | None

    @classmethod
    def over(cls, times: Places, entities: int) -> Axis:
        """The axis of events at these times."""
        base = int(times.min())
        width = int(times.max()) - base + 2
        if width * max(entities, 1) < _LIMIT:
            return cls(base, width, None)
        moments = np.unique(times)
        return cls(base, len(moments) + 1, moments)

    def at(self, entity: Places, moment: Places) -> Places:
        """Integers of entities at moments; a moment outside the events' is moved to just before or to the last."""
        if self.moments is not None:
            return entity * self.width + np.searchsorted(self.moments, moment, side="right")
        inside = np.clip(moment, self.base - 1, self.base + self.width - 2)
        return entity * self.width + (inside - (self.base - 1))


class Timeline:
    """Events sorted by entity, event time and sequence.

    Attributes:
        rows: Row of each event in the table the events came from.
        entity: Entity of each event, from 0 on.
        event: Event times, microseconds.
        available: When each event became known, microseconds; never before its event time.
        starts: Place of each entity's first event, and past the last entity the number of events.
    """

    def __init__(self, rows: Places, entity: Places, event: Places, available: Places, entities: int) -> None:
        self.rows = rows
        self.entity = entity
        self.event = event
        self.available = available
        self.starts = np.searchsorted(entity, np.arange(entities + 1))
        self._entities = entities
        self._event_axis = Axis.over(event, entities) if len(event) else Axis(0, 2, None)
        self._event_keys = self._event_axis.at(entity, event)
        self._available_axis = Axis.over(available, entities) if len(event) else Axis(0, 2, None)
        keys = self._available_axis.at(entity, available)
        self.in_order = bool((keys[1:] >= keys[:-1]).all())
        self.available_order: Places | None = None if self.in_order else np.argsort(keys, kind="stable")
        self._available_keys = keys if self.available_order is None else keys[self.available_order]

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
        kept = np.flatnonzero(entity >= 0)
        if len(kept) < len(entity):
            entity, event, available, sequence = entity[kept], event[kept], available[kept], sequence[kept]
        keys = Axis.over(event, entities).at(entity, event) if len(event) else entity
        order = np.argsort(keys)
        sorted_keys = keys[order]
        tied = np.flatnonzero(sorted_keys[1:] == sorted_keys[:-1])
        if len(tied):
            members = np.union1d(tied, tied + 1)
            rows = order[members]
            order[members] = rows[np.lexsort((rows, sequence[rows], sorted_keys[members]))]
        event = event[order]
        return cls(kept[order], entity[order], event, np.maximum(available[order], event), entities)

    def __len__(self) -> int:
        return len(self.rows)

    def happened(self, entity: Places, moment: Places) -> Places:
        """Place after the last event of each entity with event time at most the moment."""
        return np.searchsorted(self._event_keys, self._event_axis.at(entity, moment), side="right")

    def known(self, entity: Places, moment: Places) -> Places:
        """Place after the last event known at the moment, in order of availability."""
        return np.searchsorted(self._available_keys, self._available_axis.at(entity, moment), side="right")

    def newest_known(self, entity: Places, moment: Places) -> Places:
        """Place of the newest event (by event time, then sequence) known at the moment; -1 where there is none."""
        until = self.known(entity, moment)
        some = until > self.starts[entity]
        if not len(self):
            return np.full(len(entity), -1)
        before = np.maximum(until - 1, 0)
        if self.available_order is not None:
            before = np.maximum.accumulate(self.available_order)[before]
        return np.where(some, before, -1)

    def all_known(self, entity: Places, moment: Places) -> Places:
        """Place of the first event not known at the moment: all events before it are."""
        keys = np.maximum.accumulate(self._keys_by_event())
        return np.searchsorted(keys, self._available_axis.at(entity, moment), side="right")

    def none_known(self, entity: Places, moment: Places) -> Places:
        """Place after the last event known at the moment: none from it on is."""
        keys = np.minimum.accumulate(self._keys_by_event()[::-1])[::-1]
        return np.searchsorted(keys, self._available_axis.at(entity, moment), side="right")

    def only(self, kept: npt.NDArray[np.bool_]) -> Timeline:
        """The timeline of some of the events."""
        return Timeline(self.rows[kept], self.entity[kept], self.event[kept], self.available[kept], self._entities)

    def all_known_at_once(self) -> Timeline:
        """The same events, each known as soon as it happens."""
        return (
            self
            if self.available is self.event
            else Timeline(self.rows, self.entity, self.event, self.event, self._entities)
        )

    def within(self, window: Micros) -> Timeline:
        """Without events that become known when they have left the window already; itself if there are none."""
        kept = self.available - self.event < window
        return self if kept.all() else self.only(kept)

    def _keys_by_event(self) -> Places:
        return self._available_axis.at(self.entity, self.available)
