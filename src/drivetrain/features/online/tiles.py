"""Tiles: the moments of events too old to be told apart, hop by hop.

Where every window of a view begins at whole hops, no request can part the events between two hops. So they are kept as
seven numbers an input instead of one by one, as soon as no request can come from before they were known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivetrain.features.exact import Floats, Places
from drivetrain.features.moments import Moments, Span, Tally
from drivetrain.features.online.layout import STATES, Layout
from drivetrain.features.timeline import Timeline


@dataclass(frozen=True, eq=False)
class Tiles:
    """Tiles of several entities, by entity and time.

    Attributes:
        entity: Entity of each.
        start: Where each begins, microseconds; events at that moment belong to the one before.
        states: Moments of the tiled inputs; shape (tiles, inputs, 7).
    """

    entity: Places
    start: Places
    states: Floats

    @classmethod
    def nothing(cls, layout: Layout) -> Tiles:
        """No tiles."""
        empty = np.empty(0, dtype=np.int64)
        return cls(empty, empty, np.empty((0, len(layout.tiled), STATES)))

    @classmethod
    def of(cls, layout: Layout, events: Timeline, values: Floats) -> Tiles:
        """Tiles of events; ``values`` are those of the stored inputs, in the timeline's order."""
        events = events.all_known_at_once()  # a tile is a stretch of events as they happened
        start = (events.event - 1) // layout.tile * layout.tile
        differs = np.ones(len(events), dtype=bool)
        differs[1:] = (np.diff(start) != 0) | (np.diff(events.entity) != 0)
        first = np.flatnonzero(differs)
        span = Span(events, None, first, np.append(first[1:], len(events)))
        states = np.empty((len(first), len(layout.tiled), STATES))
        for at, position in enumerate(layout.tiled):
            own = values[layout.stored.index(position)] if position in layout.stored else None
            states[:, at] = states_of(Tally(events, own, ("sum", "std", "min", "max")).moments(span))
        return cls(events.entity[first], start[first], states)

    def __len__(self) -> int:
        return len(self.entity)

    def plus(self, other: Tiles) -> Tiles:
        """The tiles of both together."""
        order = np.lexsort((np.append(self.start, other.start), np.append(self.entity, other.entity)))
        entity = np.append(self.entity, other.entity)[order]
        start = np.append(self.start, other.start)[order]
        states = np.concatenate([self.states, other.states])[order]
        again = np.flatnonzero((np.diff(entity) == 0) & (np.diff(start) == 0))
        for at in range(states.shape[1]):
            both = moments_from(states[again, at]).plus(moments_from(states[again + 1, at]))
            states[again, at] = states_of(both)
        kept = np.ones(len(entity), dtype=bool)
        kept[again + 1] = False
        return Tiles(entity[kept], start[kept], states[kept])

    def only(self, kept: np.ndarray) -> Tiles:
        """Some of the tiles."""
        return Tiles(self.entity[kept], self.start[kept], self.states[kept])

    def since(self, at: int) -> Floats:
        """Moments of each tile and those after it together; shape (tiles, 7).

        Args:
            at: Which of the tiled inputs.
        """
        made = self.states[:, at].copy()
        stops = np.searchsorted(self.entity, self.entity, side="right")
        from_end = stops - 1 - np.arange(len(self))
        order = np.argsort(from_end, kind="stable")
        bounds = np.searchsorted(from_end[order], np.arange(int(from_end.max(initial=-1)) + 2))
        for begin, end in zip(bounds[1:-1].tolist(), bounds[2:].tolist(), strict=True):
            tiles = order[begin:end]
            made[tiles] = states_of(moments_from(made[tiles + 1]).plus(moments_from(made[tiles])))
        return made


def joined(parts: Sequence[Tiles]) -> Tiles:
    """Tiles of different entities, put one after the other by entity."""
    return Tiles(
        np.concatenate([part.entity for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.states for part in parts]),
    )


def moments_from(states: Floats) -> Moments:
    """Moments of shape (n,) from their seven numbers, shape (n, 7)."""
    count, total, total_low, squares, squares_low, smallest, largest = states.T
    return Moments(count, (total, total_low), (squares, squares_low), smallest, largest)


def states_of(moments: Moments) -> Floats:
    """Seven numbers, shape (n, 7); of what was not asked for, those of no events."""
    count = moments.count
    zero = np.zeros(len(count))
    total, squares = moments.total or (zero, zero), moments.squares or (zero, zero)
    smallest = np.full(len(count), np.inf) if moments.smallest is None else moments.smallest
    largest = np.full(len(count), -np.inf) if moments.largest is None else moments.largest
    return np.stack([count, *total, *squares, smallest, largest], axis=1)
