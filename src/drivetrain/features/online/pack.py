"""Events of many entities become their rows, in a few passes over all of them at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from drivetrain.core.clock import Micros
from drivetrain.features.aggregate import Kind
from drivetrain.features.exact import Floats, Places
from drivetrain.features.moments import Span, Tally
from drivetrain.features.online.history import History
from drivetrain.features.online.lay import Kept, Lasts, Parts, Row, lay
from drivetrain.features.online.layout import NEVER, PUSHED, Layout
from drivetrain.features.online.tiles import Tiles, moments_from, states_of
from drivetrain.features.timeline import Axis, Timeline


@dataclass(frozen=True)
class Present:
    """From when on requests may be dated: the grace before an entity's newest event, or before now if that is earlier.

    Attributes:
        now: The present, microseconds.
        grace: Microseconds.
    """

    now: Micros
    grace: Micros


def rows_of(layout: Layout, history: History, entity: Places, kept: Kept, span: Present) -> list[Row]:
    """Packs entities.

    Args:
        layout: How rows lie in bytes.
        history: All events of the entities.
        entity: Entity of each event.
        kept: What else is known of them.
        span: From when on requests are to be answered from whole windows.

    Returns:
        Keys and rows; no row where there must not be one any more.
    """
    timeline = Timeline.of(entity, history.event, history.available, history.sequence, len(kept.keys))
    values = history.values[:, timeline.rows]
    newest = np.minimum(_newest_of(timeline), span.now)
    leaving = _leaving(layout, timeline, values, newest - span.grace)
    if layout.bases or layout.tile:
        # What is in moments can't be taken out again when the table brings its row: pushed events wait for it.
        leaving &= history.sequence[timeline.rows] < PUSHED
    base, trimmed, tiles = kept.base, kept.trimmed.copy(), kept.tiles
    if leaving.any():
        gone = timeline.only(leaving)
        base = _with_trimmed(layout, gone, values[:, leaving], base)
        np.maximum.at(trimmed[:, 0], gone.entity, gone.event)
        np.maximum.at(trimmed[:, 1], gone.entity, gone.available)
        if layout.tile:
            tiles = tiles.plus(Tiles.of(layout, gone, values[:, leaving]))
        timeline, values = timeline.only(~leaving), values[:, ~leaving]
    if layout.tile:
        useless = tiles.start + layout.tile <= newest[tiles.entity] - layout.view.horizon - span.grace
        np.maximum.at(trimmed[:, 2], tiles.entity[useless], tiles.start[useless] + layout.tile)
        tiles = tiles.only(~useless)
    else:
        trimmed[:, 2] = trimmed[:, 0]
    aggregates = _Aggregates(layout, timeline, values, history)
    parts = Parts(timeline, values, history, aggregates.lifetimes(base), aggregates.records(tiles), aggregates.lasts())
    return lay(layout, parts, replace(kept, base=base, trimmed=trimmed, tiles=tiles))


def _leaving(layout: Layout, timeline: Timeline, values: Floats, earliest: Places) -> np.ndarray:
    """Events that no request can need that comes at ``earliest``, a moment for each entity, or later."""
    if layout.endless:
        return np.zeros(len(timeline), dtype=bool)
    # The newest event itself always stays: ages are told from it.
    cutoff = np.minimum(earliest - (0 if layout.tile else layout.view.horizon), _newest_of(timeline) - 1)
    # What some request may not know yet stays, or else those that it looks up instead would have to.
    leaving = (timeline.event <= cutoff[timeline.entity]) & (timeline.available <= cutoff[timeline.entity])
    if layout.lasts and leaving.any() and (layout.tile or layout.view.ttl is None):
        for members, ranks in _memberships(layout, values):
            places = np.flatnonzero(leaving if members is None else leaving & members)
            # As many of the leaving as the deepest rank asks for stay: whatever is newer can only make them older.
            from_end = _places_from_end(timeline.entity[places])
            leaving[places[from_end < ranks]] = False
    return leaving


def _newest_of(timeline: Timeline) -> Places:
    """Newest event of each entity; that of an entity without events means nothing."""
    if not len(timeline):
        return np.full(len(timeline.starts) - 1, NEVER)
    return timeline.event[np.maximum(timeline.starts[1:] - 1, 0)]


def _places_from_end(entity: Places) -> Places:
    """How many events of the same entity come after each, of events sorted by entity."""
    stops = np.searchsorted(entity, entity, side="right")
    return stops - 1 - np.arange(len(entity))


def _memberships(layout: Layout, values: Floats) -> Iterator[tuple[np.ndarray | None, int]]:
    """Which events looked-up features look at, and how many of them: all, and those of each condition."""
    columns = layout.view.columns
    deepest: dict[int, int] = {}
    for at in layout.lasts:
        which = layout.members.index(columns[at].input) if columns[at].input in layout.members else -1
        deepest[which] = max(deepest.get(which, 0), int(columns[at].argument or 0) + 1)
    for which, ranks in deepest.items():
        yield None if which < 0 else values[len(layout.stored) + which] > 0, ranks


def _with_trimmed(layout: Layout, gone: Timeline, values: Floats, base: Floats) -> Floats:
    """Base moments with those of events that leave."""
    fresh = base.copy()
    for at, position in enumerate(layout.bases):
        tally = Tally(gone, _values(layout, values, position), ("sum", "std", "min", "max"))
        here = tally.moments(Span(gone, None, gone.starts[:-1], gone.starts[1:]))
        both = moments_from(base[:, at]).plus(here)
        fresh[:, at] = states_of(both)
    return fresh


def _values(layout: Layout, values: Floats, position: int) -> Floats | None:
    return values[layout.stored.index(position)] if position in layout.stored else None


class _Aggregates:
    """Aggregates of the events that stay."""

    def __init__(self, layout: Layout, timeline: Timeline, values: Floats, history: History) -> None:
        self._layout = layout
        self._timeline = timeline
        self._plain = timeline.all_known_at_once()
        self._values = values
        self._history = history
        self._entities = len(timeline.starts) - 1

    def lifetimes(self, base: Floats) -> Floats:
        """Features over the whole history, trimmed events included; shape (entities, lifetimes)."""
        layout = self._layout
        made = np.empty((self._entities, len(layout.lifetimes)))
        span = Span(self._plain, None, self._plain.starts[:-1], self._plain.starts[1:])
        for place, position in enumerate(layout.bases):
            asked = {
                at: layout.view.columns[at] for at in layout.lifetimes if layout.view.columns[at].input == position
            }
            kinds = {feature.kind for feature in asked.values()}
            moments = Tally(self._plain, _values(layout, self._values, position), kinds).moments(span)
            whole = moments.plus(moments_from(base[:, place]))
            for at, feature in asked.items():
                made[:, layout.lifetimes.index(at)] = whole.finish(feature.kind)
        return made

    def records(self, tiles: Tiles) -> Floats:
        """Aggregates of the events from each tile and each event on; shape (tiles + events + entities, cells)."""
        starts, layout = self._plain.starts, self._layout
        lengths = np.diff(starts) + 1
        firsts = np.cumsum(lengths) - lengths
        total = int(lengths.sum())
        left = np.arange(total) - np.repeat(firsts - starts[:-1], lengths)
        span = Span(self._plain, None, left, np.repeat(starts[1:], lengths))
        tile_starts = np.append(0, np.cumsum(np.bincount(tiles.entity, minlength=self._entities)))
        # Events that are kept for lookups alone may be older than tiles: both stand in one order.
        newer_event, newer_tile = _interleaved(tiles, self._plain)
        behind = np.insert(newer_tile, starts[1:], tile_starts[1:])
        mixed = np.flatnonzero(behind < np.repeat(tile_starts[1:], lengths))
        after = newer_event + tiles.entity
        of_event, of_tile = np.arange(total) + behind, np.arange(len(tiles)) + after
        records = np.empty((total + len(tiles), len(layout.cells)))
        for position in dict.fromkeys(position for _, position in layout.cells):
            kinds = {kind for kind, given in layout.cells if given == position}
            wanted: set[Kind] = {"sum", "std", "min", "max"} if layout.tile else kinds
            moments = Tally(self._plain, _values(layout, self._values, position), wanted).moments(span)
            since = None
            if len(tiles):
                states = states_of(moments)
                ahead = tiles.since(layout.tiled.index(position))
                since = moments_from(ahead).plus(moments_from(states[after]))
                both = moments_from(states[mixed]).plus(moments_from(ahead[behind[mixed]]))
                states[mixed] = states_of(both)
                moments = moments_from(states)
            for kind in kinds:
                cell = layout.cells.index((kind, position))
                records[of_event, cell] = moments.finish(kind)
                if since is not None:
                    records[of_tile, cell] = since.finish(kind)
        return records

    def lasts(self) -> Lasts:
        """Newest values of every entity and their event times."""
        layout, columns = self._layout, self._layout.view.columns
        looked_up: list[str] = []
        many = len(layout.lasts)
        # Filled feature by feature, and so laid out.
        made, times = np.empty((many, self._entities)).T, np.empty((many, self._entities), dtype=np.int64).T
        newest: dict[tuple[int, int], Places] = {}
        for number, at in enumerate(layout.lasts):
            position, rank = columns[at].input, int(columns[at].argument or 0)
            which = layout.members.index(position) if position in layout.members else -1
            if (which, rank) not in newest:
                newest[which, rank] = self._newest(which, rank)
            place = newest[which, rank]
            found = place >= 0
            when = np.where(found, self._plain.event[place] if len(self._plain) else 0, NEVER)
            stored = layout.stored.index(position) if position in layout.stored else None
            kind = "n" if stored is None or at in layout.since else self._history.kinds[stored]
            if at in layout.since:
                numbers = when.astype(np.float64)
            elif stored is None or not len(self._plain):
                numbers = np.ones(len(place))
            else:
                numbers = self._values[stored][place]
            made[:, number], times[:, number] = np.where(found, numbers, np.nan), when
            looked_up.append(kind)
        if looked_up == ["n"] * many:
            return Lasts(made, times, [], [])
        values = [_typed(made[:, at], kind, self._history.texts) for at, kind in enumerate(looked_up)]
        return Lasts(made, times, list(zip(*values, strict=True)), [nan if k == "n" else None for k in looked_up])

    def _newest(self, which: int, rank: int) -> Places:
        """Place of each entity's newest event, or one of those before it; -1 where there is none."""
        starts = self._plain.starts
        if which < 0:
            place = starts[1:] - 1 - rank
            return np.where(place >= starts[:-1], place, -1)
        members = np.flatnonzero(self._values[len(self._layout.stored) + which] > 0)
        entity = self._plain.entity[members]
        chosen = _places_from_end(entity) == rank
        newest = np.full(self._entities, -1)
        newest[entity[chosen]] = members[chosen]
        return newest


def _interleaved(tiles: Tiles, events: Timeline) -> tuple[Places, Places]:
    """For every tile the place of the first event after its start, for every event that of the first tile from it on.

    Each counts over all entities; where an entity has none left, it is the first place of the next one's.
    """
    if not len(tiles):
        return np.zeros(0, dtype=np.int64), np.zeros(len(events), dtype=np.int64)
    axis = Axis.over(np.append(tiles.start, events.event), len(events.starts) - 1)
    of_tiles, of_events = axis.of_events(tiles.entity, tiles.start), axis.of_events(events.entity, events.event)
    return np.searchsorted(of_events, of_tiles, side="right"), np.searchsorted(of_tiles, of_events, side="left")


def _typed(numbers: Floats, kind: str, texts: Sequence[str]) -> list[float | bool | str | None]:
    """Values of a stored input as features: numbers with NaN for null, booleans and texts with ``None``."""
    if kind == "n":
        return list(numbers.tolist())
    known = [None if math.isnan(number) else int(number) for number in numbers.tolist()]
    return [None if at is None else bool(at) if kind == "b" else texts[at] for at in known]
