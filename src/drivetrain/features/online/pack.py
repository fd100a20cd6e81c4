"""Events of many entities become their rows, in a few passes over all of them at once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drivetrain.core.clock import Micros
from drivetrain.features.aggregate import Kind
from drivetrain.features.exact import Floats, Places
from drivetrain.features.moments import Span, Tally
from drivetrain.features.online.history import History
from drivetrain.features.online.layout import (
    FLAT,
    HEAD,
    LAYOUT,
    NEVER,
    PAGE,
    PAGED,
    PUSHED,
    STATES,
    TYPED,
    Layout,
    Tail,
    encode_tail,
    history_key,
    page_key,
)
from drivetrain.features.online.tiles import Tiles, moments_from, states_of
from drivetrain.features.timeline import Axis, Timeline


@dataclass(frozen=True, eq=False)
class Kept:
    """What is known of entities beside their events, one entry each.

    Attributes:
        keys: Keys of their heads.
        pages: Most pages each ever had.
        trimmed: As :attr:`~.history.Head.trimmed`; shape (entities, 3).
        tiles: Trimmed events in tiles.
        sequence: Greatest sequence of the table's rows that were put in.
        base: Moments of trimmed events; shape (entities, bases, 7).
    """

    keys: list[bytes]
    pages: Places
    trimmed: Places
    tiles: Tiles
    sequence: Places
    base: Floats

    @classmethod
    def nothing(cls, keys: list[bytes], layout: Layout) -> Kept:
        """Of entities that have no row yet."""
        many = len(keys)
        pages, trimmed = np.zeros(many, dtype=np.int64), np.full((many, 3), NEVER)
        return cls(keys, pages, trimmed, Tiles.nothing(layout), np.full(many, NEVER), empty_base(many, layout))


@dataclass(frozen=True)
class Present:
    """From when on requests may be dated: the grace before an entity's newest event, or before now if that is earlier.

    Attributes:
        now: The present, microseconds.
        grace: Microseconds.
    """

    now: Micros
    grace: Micros


def rows_of(
    layout: Layout, history: History, entity: Places, kept: Kept, span: Present
) -> Iterator[tuple[bytes, bytes]]:
    """Packs entities.

    Args:
        layout: How rows lie in bytes.
        history: All events of the entities.
        entity: Entity of each event.
        kept: What else is known of them.
        span: From when on requests are to be answered from whole windows.

    Yields:
        Keys and rows.
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
    packer = _Packer(layout, timeline, values, history)
    packer.lifetimes(base)
    packer.records(tiles)
    packer.lasts()
    yield from packer.rows(kept, base, trimmed, tiles)


def empty_base(entities: int, layout: Layout) -> Floats:
    """Moments of no events."""
    base = np.zeros((entities, len(layout.bases), STATES))
    base[:, :, 5], base[:, :, 6] = np.inf, -np.inf
    return base


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


class _Packer:
    """Aggregates of the events that stay, and their bytes."""

    def __init__(self, layout: Layout, timeline: Timeline, values: Floats, history: History) -> None:
        self._layout = layout
        self._timeline = timeline
        self._plain = timeline.all_known_at_once()
        self._values = values
        self._history = history
        self._entities = len(timeline.starts) - 1

    def lifetimes(self, base: Floats) -> None:
        """Features over the whole history, trimmed events included; shape (entities, lifetimes)."""
        layout = self._layout
        self._lifetimes = np.empty((self._entities, len(layout.lifetimes)))
        span = Span(self._plain, None, self._plain.starts[:-1], self._plain.starts[1:])
        for place, position in enumerate(layout.bases):
            asked = {
                at: layout.view.columns[at] for at in layout.lifetimes if layout.view.columns[at].input == position
            }
            kinds = {feature.kind for feature in asked.values()}
            moments = Tally(self._plain, _values(layout, self._values, position), kinds).moments(span)
            whole = moments.plus(moments_from(base[:, place]))
            for at, feature in asked.items():
                self._lifetimes[:, layout.lifetimes.index(at)] = whole.finish(feature.kind)

    def records(self, tiles: Tiles) -> None:
        """Aggregates of the events from each tile and each event on; shape (tiles + events + entities, cells)."""
        starts, layout = self._plain.starts, self._layout
        lengths = np.diff(starts) + 1
        firsts = np.cumsum(lengths) - lengths
        total = int(lengths.sum())
        left = np.arange(total) - np.repeat(firsts - starts[:-1], lengths)
        span = Span(self._plain, None, left, np.repeat(starts[1:], lengths))
        many = np.bincount(tiles.entity, minlength=self._entities)
        self._tiles = np.append(0, np.cumsum(many))
        self._firsts = firsts + self._tiles[:-1]
        # Events that are kept for lookups alone may be older than tiles: both stand in one order.
        newer_event, newer_tile = _interleaved(tiles, self._plain)
        behind = np.insert(newer_tile, starts[1:], self._tiles[1:])
        mixed = np.flatnonzero(behind < np.repeat(self._tiles[1:], lengths))
        after = newer_event + tiles.entity
        of_event, of_tile = np.arange(total) + behind, np.arange(len(tiles)) + after
        self._records = np.empty((total + len(tiles), len(layout.cells)))
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
                self._records[of_event, cell] = moments.finish(kind)
                if since is not None:
                    self._records[of_tile, cell] = since.finish(kind)

    def lasts(self) -> None:
        """Newest values of every entity and their event times, by entity."""
        layout, columns = self._layout, self._layout.view.columns
        self._empty: list[float | None] = []
        values: list[list[float | bool | str | None]] = []
        times: list[list[int]] = []
        newest: dict[tuple[int, int], Places] = {}
        for at in layout.lasts:
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
            values.append(typed(np.where(found, numbers, np.nan), kind, self._history.texts))
            self._empty.append(np.nan if kind == "n" else None)
            times.append(when.tolist())
        self._typed = TYPED if None in self._empty else 0
        self._newest_values = [list(row) for row in zip(*values, strict=True)] or [[] for _ in range(self._entities)]
        self._newest_times = [list(row) for row in zip(*times, strict=True)] or [[] for _ in range(self._entities)]

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

    def rows(self, kept: Kept, base: Floats, trimmed: Places, tiles: Tiles) -> Iterator[tuple[bytes, bytes]]:
        """Keys and rows of every entity."""
        timeline, layout, rows = self._timeline, self._layout, self._timeline.rows
        times = np.stack(
            [timeline.event, timeline.available, self._history.sequence[rows], self._history.identity[rows]]
        )
        known = trimmed[:, 1].copy()
        np.maximum.at(known, timeline.entity, timeline.available)
        records = memoryview(self._records.tobytes())
        width = 8 * len(layout.cells)
        stamps = np.frombuffer(os.urandom(8 * self._entities), np.int64).tolist()
        for entity in range(self._entities):
            start, stop = int(timeline.starts[entity]), int(timeline.starts[entity + 1])
            first = int(self._firsts[entity]) * width
            events = times[:, start:stop]
            values, texts = self._local(self._values[:, start:stop])
            stamp = stamps[entity]
            tail = self._tail(entity, texts)
            fixed, states = self._fixed(entity), base[entity].tobytes()
            key = kept.keys[entity]
            begin, end = int(self._tiles[entity]), int(self._tiles[entity + 1])
            marks = np.sort(np.append(tiles.start[begin:end] + 1, events[0])) if end > begin else events[0]
            own = records[first : first + (len(marks) + 1) * width]
            states = tiles.start[begin:end].tobytes() + tiles.states[begin:end].tobytes() + states
            history = events.tobytes() + values.tobytes()
            paged = len(marks) > FLAT
            pages = -(-len(marks) // PAGE) if paged else 0
            marked = stamp.to_bytes(8, "little", signed=True)
            if paged:
                if layout.cells:
                    yield from _pages(key, marks, own, marked)
                body = b"".join((fixed, marks[::PAGE].tobytes(), own[:width], states))
            elif layout.scanned:
                body = b"".join((fixed, marks.tobytes(), own, history, states))
            else:
                body = b"".join((fixed, marks.tobytes(), own, states))
            if paged or not layout.scanned:
                yield history_key(key), marked + history
            body += bytes(-len(tail) % 8)
            tail_at = HEAD.size + len(body)
            head = HEAD.pack(
                LAYOUT,
                PAGED * paged + self._typed,
                (end - begin) & 0xFFFF,
                len(marks),
                tail_at,
                tail_at + len(tail),
                max(int(kept.pages[entity]), pages),
                (end - begin) >> 16,
                int(events[0, -1]) if stop > start else NEVER,
                int(known[entity]),
                *trimmed[entity, :2].tolist(),
                int(kept.sequence[entity]),
                int(trimmed[entity, 2]),
                stamp,
            )
            yield key, b"".join((head, body, tail))

    def _tail(self, entity: int, texts: list[str]) -> bytes:
        times = self._newest_times[entity]
        return encode_tail(Tail(self._newest_values[entity], times, self._empty, self._history.kinds, texts))

    def _fixed(self, entity: int) -> bytes:
        """What every head has: features over the whole history, the oldest looked-up value's time, and numbers."""
        lifetimes: bytes = self._lifetimes[entity].tobytes()
        if not self._newest_times[entity]:
            return lifetimes
        numbers = np.nan if self._typed else self._newest_values[entity]
        lasts: bytes = np.full(len(self._layout.lasts), numbers).tobytes()
        oldest = min(self._newest_times[entity]).to_bytes(8, "little", signed=True)
        return b"".join((lifetimes, oldest, lasts))

    def _local(self, values: Floats) -> tuple[Floats, list[str]]:
        """Values with texts numbered within the entity."""
        rows = [at for at, kind in enumerate(self._history.kinds) if kind == "t"]
        if not rows:
            return values, []
        values = values.copy()
        used = np.unique(values[rows][~np.isnan(values[rows])])
        for at in rows:
            known = ~np.isnan(values[at])
            values[at][known] = np.searchsorted(used, values[at][known])
        return values, [self._history.texts[int(number)] for number in used.tolist()]


def _interleaved(tiles: Tiles, events: Timeline) -> tuple[Places, Places]:
    """For every tile the place of the first event after its start, for every event that of the first tile from it on.

    Each counts over all entities; where an entity has none left, it is the first place of the next one's.
    """
    if not len(tiles):
        return np.zeros(0, dtype=np.int64), np.zeros(len(events), dtype=np.int64)
    axis = Axis.over(np.append(tiles.start, events.event), len(events.starts) - 1)
    of_tiles, of_events = axis.of_events(tiles.entity, tiles.start), axis.of_events(events.entity, events.event)
    return np.searchsorted(of_events, of_tiles, side="right"), np.searchsorted(of_tiles, of_events, side="left")


def _pages(key: bytes, event: Places, records: memoryview, stamp: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Pages: event times of each, and the records after each of them."""
    width = len(records) // (len(event) + 1)
    for page, start in enumerate(range(0, len(event), PAGE)):
        stop = min(start + PAGE, len(event))
        body = records[(start + 1) * width : (stop + 1) * width]
        yield page_key(key, page), b"".join((stamp, event[start:stop].tobytes(), body))


def typed(numbers: Floats, kind: str, texts: Sequence[str]) -> list[float | bool | str | None]:
    """Values of a stored input as features: numbers with NaN for null, booleans and texts with ``None``."""
    if kind == "n":
        return list(numbers.tolist())
    known = [None if math.isnan(number) else int(number) for number in numbers.tolist()]
    return [None if at is None else bool(at) if kind == "b" else texts[at] for at in known]
