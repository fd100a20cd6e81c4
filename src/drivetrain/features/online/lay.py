"""Entities laid into bytes: the heads of all of them are one vector of words, in which each has its stretch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from operator import add
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drivetrain.features.exact import Floats, Places
from drivetrain.features.online.history import History
from drivetrain.features.online.layout import (
    FLAT,
    HEAD,
    INLINE,
    LAYOUT,
    NEVER,
    PAGE,
    PAGED,
    SMALL,
    STATES,
    TIMES,
    TYPED,
    Layout,
    Tail,
    encode_tail,
    history_key,
    page_key,
)
from drivetrain.features.online.tiles import Tiles
from drivetrain.features.timeline import Timeline

Row: TypeAlias = tuple[bytes, bytes | None]
"""A key and its row; no row where there must not be one any more."""
Words: TypeAlias = npt.NDArray[np.int64]
_HEAD = HEAD.size // 8
_PADDING = [bytes(many) for many in range(8)]


@dataclass(frozen=True, eq=False)
class Kept:
    """What is known of entities beside their events, one entry each.

    Attributes:
        keys: Keys of their heads.
        pages: Most pages each ever had.
        apart: Whether each had a history under a key of its own.
        trimmed: As :attr:`~.history.Head.trimmed`; shape (entities, 3).
        tiles: Trimmed events in tiles.
        sequence: Greatest sequence of the table's rows that were put in.
        base: Moments of trimmed events; shape (entities, bases, 7).
    """

    keys: list[bytes]
    pages: Places
    apart: npt.NDArray[np.bool_]
    trimmed: Places
    tiles: Tiles
    sequence: Places
    base: Floats

    @classmethod
    def nothing(cls, keys: list[bytes], layout: Layout) -> Kept:
        """Of entities that have no row yet."""
        many = len(keys)
        pages, apart = np.zeros(many, dtype=np.int64), np.zeros(many, dtype=bool)
        base = np.zeros((many, len(layout.bases), STATES))
        base[:, :, 5], base[:, :, 6] = np.inf, -np.inf
        trimmed, sequence = np.full((many, 3), NEVER), np.full(many, NEVER)
        return cls(keys, pages, apart, trimmed, Tiles.nothing(layout), sequence, base)


@dataclass(frozen=True, eq=False)
class Lasts:
    """Looked-up values.

    Attributes:
        numbers: Those that are numbers; shape (entities, features).
        times: Their event times, microseconds; same shape.
        values: Those of every type, by entity; nothing where all are numbers.
        empty: What each is where it is null, by feature: NaN for a number.
    """

    numbers: Floats
    times: Places
    values: Sequence[Sequence[float | bool | str | None]]
    empty: list[float | None]


@dataclass(frozen=True, eq=False)
class Parts:
    """Events that stay, and what was made of them.

    Attributes:
        timeline: The events.
        values: Their values, in its order; shape (columns, events).
        history: Where they come from.
        lifetimes: Features over whole histories; shape (entities, lifetimes).
        records: Aggregates from each tile and each event on; shape (tiles + events + entities, cells).
        lasts: Looked-up values.
    """

    timeline: Timeline
    values: Floats
    history: History
    lifetimes: Floats
    records: Floats
    lasts: Lasts


def lay(layout: Layout, parts: Parts, kept: Kept) -> list[Row]:
    """Rows of entities: what lies under keys of its own, and then the heads."""
    laying = _Laying(layout, parts, kept)
    return [*laying.apart(), *laying.heads()]


class _Laying:
    """Entities on their way into bytes: where each part of each begins, and then the parts."""

    def __init__(self, layout: Layout, parts: Parts, kept: Kept) -> None:
        self._layout, self._parts, self._kept = layout, parts, kept
        starts = parts.timeline.starts
        self._entities = len(starts) - 1
        self._events = np.diff(starts)
        self._tiles = np.bincount(kept.tiles.entity, minlength=self._entities)
        self._many = self._events + self._tiles
        self._paged = self._many > FLAT
        self._apart = self._paged if layout.scanned else self._paged | (self._events > SMALL)
        self._stamps = np.frombuffer(os.urandom(8 * self._entities), np.int64)
        values = parts.values
        self._values, self._texts = _localised(values, parts.history, parts.timeline.entity, self._entities)

    def apart(self) -> Iterator[Row]:
        """Histories and pages that have keys of their own, or must not have them any more."""
        keys = self._kept.keys
        for entity in np.flatnonzero(self._kept.apart & ~self._apart).tolist():
            yield history_key(keys[entity]), None
        starts = self._parts.timeline.starts.tolist()
        for entity in np.flatnonzero(self._apart).tolist():
            here = slice(starts[entity], starts[entity + 1])
            stamp = self._stamps[entity].tobytes()
            history = (stamp, self._times[:, here].tobytes(), self._values[:, here].tobytes())
            yield history_key(keys[entity]), b"".join(history)
        if self._layout.cells:
            for entity in np.flatnonzero(self._paged).tolist():
                yield from self._pages(entity)

    @cached_property
    def _times(self) -> Places:
        """Event time, availability, sequence and identity of the events."""
        timeline, history = self._parts.timeline, self._parts.history
        rows = timeline.rows
        return np.stack([timeline.event, timeline.available, history.sequence[rows], history.identity[rows]])

    @cached_property
    def _marks(self) -> tuple[Places, Places]:
        """Moments that a window's begin is looked for among: of events, and just after a tile's start; and whose."""
        tiles, timeline = self._kept.tiles, self._parts.timeline
        if not len(tiles):
            return timeline.event, timeline.entity
        moments, entity = np.append(tiles.start + 1, timeline.event), np.append(tiles.entity, timeline.entity)
        order = np.lexsort((moments, entity))
        return moments[order], entity[order]

    def _pages(self, entity: int) -> Iterator[Row]:
        """Pages: moments of each, and the records after each of them."""
        first = int(self._many[:entity].sum())
        marks = self._marks[0][first : first + int(self._many[entity])]
        records = self._parts.records[first + entity + 1 :]
        stamp = self._stamps[entity].tobytes()
        for page, start in enumerate(range(0, len(marks), PAGE)):
            here = slice(start, min(start + PAGE, len(marks)))
            row = b"".join((stamp, marks[here].tobytes(), records[here].tobytes()))
            yield page_key(self._kept.keys[entity], page), row

    def heads(self) -> Iterator[Row]:
        """The heads, cut out of one vector."""
        layout, kept = self._layout, self._kept
        tails, lengths = self._tails()
        # A tail that all have in common lies in the vector as well, so that a head is one slice of it.
        shared = np.frombuffer(tails[0] if len(tails) == 1 else b"", np.int64)
        cells, states = len(layout.cells), len(layout.bases) * STATES
        lifetimes = len(layout.lifetimes)
        pages = np.where(self._paged, -(-self._many // PAGE), 0)
        columns = TIMES + len(self._values)
        parts = [
            np.full(self._entities, _HEAD + lifetimes + layout.last_words),
            np.where(self._paged, pages, self._many),
            np.where(self._paged, 1, self._many + 1) * cells,
            np.where(self._apart, 0, self._events * columns),
            self._tiles * (1 + len(layout.tiled) * STATES),
            np.full(self._entities, states),
            np.full(self._entities, len(shared)),
        ]
        sizes: Places = np.sum(parts, axis=0)
        begins = np.cumsum(sizes) - sizes
        marks, records, events, tiles, base, tail = begins + np.cumsum(parts[:-1], axis=0)
        words = np.empty(int(sizes.sum()), dtype=np.int64)
        floats = words.view(np.float64)
        self._put_marks(words, marks)
        self._put_records(floats, records)
        self._put_events(words, events)
        self._put_tiles(words, tiles)
        floats[base[:, None] + np.arange(states)] = kept.base.reshape(self._entities, -1)
        floats[begins[:, None] + np.arange(_HEAD, _HEAD + lifetimes)] = self._parts.lifetimes
        if layout.lasts:
            self._put_lasts(words, begins + _HEAD + lifetimes)
        words[tail[:, None] + np.arange(len(shared))] = shared
        pend = 8 * (tail - begins) + lengths + -lengths % 8
        words[begins[:, None] + np.arange(_HEAD)] = self._head(pend - lengths, pend, np.maximum(kept.pages, pages))
        whole = words.tobytes()
        heads = [whole[begin:end] for begin, end in pairwise([*(8 * begins).tolist(), len(whole)])]
        return zip(kept.keys, heads if len(shared) else map(add, heads, tails), strict=True)

    def _head(self, ends: Places, pend: Places, pages: Places) -> Words:
        """The words of :data:`~.layout.HEAD`; shape (entities, words)."""
        timeline, kept = self._parts.timeline, self._kept
        flags = PAGED * self._paged + INLINE * ~self._apart + (TYPED if self._parts.lasts.values else 0)
        known = kept.trimmed[:, 1].copy()
        np.maximum.at(known, timeline.entity, timeline.available)
        newest = np.full(self._entities, NEVER)
        some = self._events > 0
        newest[some] = timeline.event[timeline.starts[1:][some] - 1]
        low = self._tiles & 0xFFFF
        return np.stack(
            [
                LAYOUT + (flags << 8) + (low << 16) + (self._many << 32),
                ends + (pend << 32),
                pages + (self._tiles >> 16 << 32),
                newest,
                known,
                kept.trimmed[:, 0],
                kept.trimmed[:, 1],
                kept.sequence,
                kept.trimmed[:, 2],
                self._stamps,
            ],
            axis=1,
        )

    def _put_marks(self, words: Words, begins: Places) -> None:
        moments, entity = self._marks
        rank = np.arange(len(moments)) - (np.cumsum(self._many) - self._many)[entity]
        if self._paged.any():
            paged = self._paged[entity]
            here = ~paged | (rank % PAGE == 0)
            rank = np.where(paged, rank // PAGE, rank)[here]
            moments, entity = moments[here], entity[here]
        words[begins[entity] + rank] = moments

    def _put_records(self, floats: Floats, begins: Places) -> None:
        records, many = self._parts.records, self._many + 1
        entity = np.repeat(np.arange(self._entities), many)
        rank = np.arange(len(records)) - (np.cumsum(many) - many)[entity]
        if self._paged.any():
            here = ~self._paged[entity] | (rank == 0)
            records, entity, rank = records[here], entity[here], rank[here]
        cells = records.shape[1]
        floats[(begins[entity] + rank * cells)[:, None] + np.arange(cells)] = records

    def _put_events(self, words: Words, begins: Places) -> None:
        """Histories that lie in their heads: column after column."""
        entity, starts = self._parts.timeline.entity, self._parts.timeline.starts
        here = np.flatnonzero(~self._apart[entity])
        entity = entity[here]
        first = begins[entity] + here - starts[entity]
        step = self._events[entity]
        columns = [*self._times, *self._values.view(np.int64)]
        for at, column in enumerate(columns):
            words[first + at * step] = column[here]

    def _put_tiles(self, words: Words, begins: Places) -> None:
        tiles = self._kept.tiles
        if not len(tiles):
            return
        entity = tiles.entity
        rank = np.arange(len(tiles)) - (np.cumsum(self._tiles) - self._tiles)[entity]
        words[begins[entity] + rank] = tiles.start
        states = tiles.states.reshape(len(tiles), -1)
        width = states.shape[1]
        first = begins[entity] + self._tiles[entity] + rank * width
        words[first[:, None] + np.arange(width)] = states.view(np.int64)

    def _put_lasts(self, words: Words, begins: Places) -> None:
        """Event time of the oldest looked-up value, then those that are numbers, then the event times of all."""
        lasts = self._parts.lasts
        many = lasts.times.shape[1]
        both = np.empty((self._entities, 1 + 2 * many), dtype=np.int64)
        both[:, 0] = lasts.times.min(axis=1)
        # Where some are no numbers, all are read from the tail.
        both.view(np.float64)[:, 1 : 1 + many] = np.nan if lasts.values else lasts.numbers
        both[:, 1 + many :] = lasts.times
        words[begins[:, None] + np.arange(both.shape[1])] = both

    def _tails(self) -> tuple[list[bytes], Places]:
        """The tail of each entity, or one where it is the same for all, and their lengths; whole words end with it."""
        lasts, kinds = self._parts.lasts, self._parts.history.kinds
        if lasts.values or "t" in kinds:
            made = zip(lasts.values or repeat(()), self._texts, strict=False)
            tails = [encode_tail(Tail(values, lasts.empty, kinds, texts)) for values, texts in made]
        else:
            tails = [encode_tail(Tail([], [], kinds, []))]
        lengths = np.fromiter(map(len, tails), np.int64, len(tails))
        return [_PADDING[-len(tail) % 8] + tail for tail in tails], lengths


def _localised(values: Floats, history: History, entity: Places, entities: int) -> tuple[Floats, Sequence[list[str]]]:
    """Values with texts numbered within each entity, and each entity's texts."""
    rows = [at for at, kind in enumerate(history.kinds) if kind == "t"]
    if not rows or not history.texts:
        return values, [[]] * entities
    many = len(history.texts)
    values = values.copy()
    texts = values[rows]
    known = ~np.isnan(texts)
    owner = np.broadcast_to(entity, texts.shape)[known]
    used, place = np.unique(owner * many + texts[known].astype(np.int64), return_inverse=True)
    firsts = np.searchsorted(used, np.arange(entities + 1) * many)
    texts[known] = place - firsts[owner]
    values[rows] = texts
    names = [history.texts[at] for at in (used % many).tolist()]
    return values, [names[begin:end] for begin, end in pairwise(firsts.tolist())]
