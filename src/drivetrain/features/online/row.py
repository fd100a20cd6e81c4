"""Reading features out of one entity's row."""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.errors import StoreError
from drivetrain.features.online.layout import HEAD, LAYOUT, PAGE, PAGED, PENDING, TYPED, Layout, decode_tail, page_key

Values: TypeAlias = list[Any]
_NAN = math.nan


@dataclass(frozen=True, eq=False)
class Wanted:
    """A row with pages, and the pages that an answer needs.

    Attributes:
        keys: Keys of the pages, one a window; none where the window begins before the first page.
        row: The head.
        stamp: What the pages have to carry.
    """

    keys: list[bytes | None]
    row: bytes
    stamp: bytes


class RowReader:
    """Features of one view out of packed rows, at moments that see all their events."""

    def __init__(self, layout: Layout) -> None:
        self._spans = layout.spans
        self._scanned = layout.scanned
        self._since = layout.since
        self._record = struct.Struct(f"<{len(layout.cells)}d")
        self._lifetimes = struct.Struct(f"<{len(layout.lifetimes)}d")
        self._lasts = struct.Struct(f"<q{len(layout.lasts)}d" if layout.lasts else "<")
        self._times_start = HEAD.size + self._lifetimes.size + self._lasts.size
        self._ttl = layout.view.ttl
        self._has_lasts = bool(layout.lasts)
        self._pick = _picker(layout.places)
        columns = layout.view.columns
        self.unknown: Values = [0.0 if feature.kind in ("count", "distinct") else _NAN for feature in columns]
        """Features of an entity without events."""
        self.null: Values = [_NAN] * len(columns)
        """Features of a null key."""

    def read(self, key: bytes, row: bytes, at: Micros) -> tuple[Values, float] | Wanted | None:
        """Features and the newest event's age in seconds.

        Returns:
            ``None`` where the events have to be looked at one by one: the moment comes before one of them is known,
            some are pending, or a feature asks for it; what pages are needed where the row has pages.

        Raises:
            StoreError: The row is of another layout.
        """
        layout, flags, generation, events, end, pend, _, newest, known, _, _, _, _, stamp = HEAD.unpack_from(row)
        if layout != LAYOUT:
            raise StoreError("an online row has another layout", found=layout, expected=LAYOUT)
        if at < known or flags & PENDING or self._scanned:
            return None
        if flags & PAGED and self._spans:
            firsts = self._times(row, -(-events // PAGE))
            pages = [bisect_right(firsts, begin) - 1 for begin in self._begins(at)]
            keys = [None if page < 0 else page_key(key, generation, page) for page in pages]
            return Wanted(keys, row, stamp.to_bytes(8, "little", signed=True))
        values: Values = list(self._lifetimes.unpack_from(row, HEAD.size))
        if self._spans:
            times = self._times(row, events)
            start = self._times_start + 8 * events
            size, unpack = self._record.size, self._record.unpack_from
            for window, hop in self._spans:
                begin = at - window if hop is None else (at - window) // hop * hop
                values += unpack(row, start + size * bisect_right(times, begin))
        if self._has_lasts:
            values += self._looked_up(row, flags, (end, pend), at)
        return self._told(values, at), (at - newest) / SECOND

    def finish(self, wanted: Wanted, pages: Sequence[bytes | None], at: Micros) -> tuple[Values, float] | None:
        """Features of a row with pages; ``None`` where a page was replaced meanwhile."""
        row = wanted.row
        _, flags, _, events, end, pend, _, newest, *_ = HEAD.unpack_from(row)
        values: Values = list(self._lifetimes.unpack_from(row, HEAD.size))
        size, unpack = self._record.size, self._record.unpack_from
        first_record = self._times_start + 8 * -(-events // PAGE)
        for begin, key, page in zip(self._begins(at), wanted.keys, pages, strict=True):
            if key is None:
                values += unpack(row, first_record)
                continue
            if page is None or page[:8] != wanted.stamp:
                return None
            held = (len(page) - 8) // (8 + size)
            times = memoryview(page)[8 : 8 + 8 * held].cast("q")
            values += unpack(page, 8 + 8 * held + size * (bisect_right(times, begin) - 1))
        if self._has_lasts:
            values += self._looked_up(row, flags, (end, pend), at)
        return self._told(values, at), (at - newest) / SECOND

    def _begins(self, at: Micros) -> list[Micros]:
        return [at - window if hop is None else (at - window) // hop * hop for window, hop in self._spans]

    def _told(self, values: Values, at: Micros) -> Values:
        """The features in the view's order; a moment that is asked as an age is told as one."""
        picked = self._pick(values)
        for place in self._since:
            picked[place] = (at - picked[place]) / SECOND
        return picked

    def _times(self, row: bytes, many: int) -> memoryview:
        start = self._times_start
        return memoryview(row)[start : start + 8 * many].cast("q")

    def _looked_up(self, row: bytes, flags: int, tail_at: tuple[int, int], at: Micros) -> Sequence[Any]:
        oldest, *numbers = self._lasts.unpack_from(row, HEAD.size + self._lifetimes.size)
        fresh = self._ttl is None or oldest > at - self._ttl
        if fresh and not flags & TYPED:
            return numbers
        tail = decode_tail(memoryview(row)[tail_at[0] : tail_at[1]])
        if fresh:
            return tail.newest
        limit = at - (self._ttl or 0)
        return [
            value if time > limit else empty
            for value, time, empty in zip(tail.newest, tail.times, tail.empty, strict=True)
        ]


def _picker(places: Sequence[int]) -> Callable[[Values], Values]:
    if not places:
        return list
    if len(places) == 1:
        only = places[0]
        return lambda values: [values[only]]
    pick = itemgetter(*places)
    return lambda values: list(pick(values))
