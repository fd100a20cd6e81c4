"""Reading features out of one entity's head."""

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
from drivetrain.features.online.layout import (
    HEAD,
    LAYOUT,
    PAGE,
    PAGED,
    PENDING,
    TYPED,
    Layout,
    decode_tail,
    page_key,
)

Values: TypeAlias = Sequence[Any]
Row: TypeAlias = bytes | memoryview
_NAN = math.nan
_FLAGS, _EVENTS, _TAIL, _PEND, _NEWEST, _KNOWN = 1, 3, 4, 5, 8, 9
_FIELDS = len(HEAD.unpack(bytes(HEAD.size)))
_STAMP = _FIELDS - 1
"""Where HEAD has its fields, and how many they are."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """A head with pages, and the pages that an answer needs.

    Attributes:
        keys: Keys of the pages, one a span; none where the span begins before the first page.
        row: The head.
        stamp: What the pages have to carry.
    """

    keys: list[bytes | None]
    row: bytes
    stamp: bytes


class RowReader:
    """Features of one view out of any head, at moments that see all its events."""

    def __init__(self, layout: Layout) -> None:
        self._spans = layout.spans
        self._scanned = layout.scanned
        self._since = layout.since
        lasts = f"q{len(layout.lasts)}d{len(layout.lasts)}q" if layout.lasts else ""
        fixed = struct.Struct(f"{HEAD.format}{len(layout.lifetimes)}d{lasts}")
        record = struct.Struct(f"<{len(layout.cells)}d")
        self._fixed = fixed.unpack_from
        self._record, self._size = record.unpack_from, record.size
        self._after_lifetimes = _FIELDS + len(layout.lifetimes)
        self._has_lasts = bool(layout.lasts)
        self._last_times = self._after_lifetimes + 1 + len(layout.lasts)
        self._times_start = fixed.size
        self._ttl = layout.view.ttl
        self._pick = _picker(layout.places)
        columns = layout.view.columns
        self.unknown: Values = [0.0 if feature.kind in ("count", "distinct") else _NAN for feature in columns]
        """Features of an entity without events."""
        self.null: Values = [_NAN] * len(columns)
        """Features of a null key."""

    def read(self, key: bytes, row: Row, at: Micros) -> tuple[Values, float] | Wanted | None:
        """Features and the newest event's age in seconds.

        Returns:
            ``None`` where the events have to be looked at one by one: the moment comes before one of them is known,
            some are pending, or a feature asks for it; what pages are needed where the row has pages.

        Raises:
            StoreError: The row is of another layout.
            ValueError: It is damaged.
        """
        fields = self._fixed(row)
        flags = fields[_FLAGS]
        if fields[0] != LAYOUT:
            raise StoreError("an online row has another layout", found=fields[0], expected=LAYOUT)
        if fields[_PEND] > len(row):
            raise ValueError(f"{len(row)} bytes where {fields[_PEND]} were written")
        if at < fields[_KNOWN] or flags & PENDING or self._scanned:
            return None
        values = list(fields[_FIELDS : self._after_lifetimes])
        if self._spans:
            first = self._times_start
            events = fields[_EVENTS]
            if flags & PAGED:
                return self._wanted(key, row, -(-events // PAGE), (at, fields[_STAMP]))
            start = first + 8 * events
            times = memoryview(row)[first:start].cast("q")
            size, unpack = self._size, self._record
            for begin in self._begins(at):
                values += unpack(row, start + size * bisect_right(times, begin))
        if self._has_lasts:
            values += self._looked_up(row, fields, at)
        return self._told(self._pick(values), at), (at - fields[_NEWEST]) / SECOND

    def finish(self, wanted: Wanted, pages: Sequence[bytes | None], at: Micros) -> tuple[Values, float] | None:
        """Features of a head with pages; ``None`` where a page was replaced meanwhile."""
        row = wanted.row
        fields = self._fixed(row)
        values = list(fields[_FIELDS : self._after_lifetimes])
        size, unpack = self._size, self._record
        first_record = self._times_start + 8 * -(-fields[_EVENTS] // PAGE)
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
            values += self._looked_up(row, fields, at)
        return self._told(self._pick(values), at), (at - fields[_NEWEST]) / SECOND

    def _wanted(self, key: bytes, row: Row, many: int, seen: tuple[Micros, int]) -> Wanted:
        at, stamp = seen
        firsts = memoryview(row)[self._times_start : self._times_start + 8 * many].cast("q")
        pages = [bisect_right(firsts, begin) - 1 for begin in self._begins(at)]
        keys = [None if page < 0 else page_key(key, page) for page in pages]
        return Wanted(keys, bytes(row), stamp.to_bytes(8, "little", signed=True))

    def _begins(self, at: Micros) -> list[Micros]:
        return [at - window if hop is None else (at - window) // hop * hop for window, hop in self._spans]

    def _told(self, values: Values, at: Micros) -> Values:
        """Features, in the view's order; a moment that is asked as an age is told as one."""
        if not self._since:
            return values
        told = list(values)
        for place in self._since:
            told[place] = (at - told[place]) / SECOND
        return told

    def _looked_up(self, row: Row, fields: tuple[Any, ...], at: Micros) -> Sequence[Any]:
        fresh = self._ttl is None or fields[self._after_lifetimes] > at - self._ttl
        limit, times = at - (self._ttl or 0), fields[self._last_times :]
        if not fields[_FLAGS] & TYPED:
            numbers = fields[self._after_lifetimes + 1 : self._last_times]
            if fresh:
                return numbers
            return [number if time > limit else _NAN for number, time in zip(numbers, times, strict=True)]
        tail = decode_tail(memoryview(row)[fields[_TAIL] : fields[_PEND]])
        if fresh:
            return tail.newest
        return [
            value if time > limit else empty for value, time, empty in zip(tail.newest, times, tail.empty, strict=True)
        ]


def _picker(places: Sequence[int]) -> Callable[[Values], Values]:
    if len(places) == 1:
        only = places[0]
        return lambda values: (values[only],)
    return itemgetter(*places) if places else tuple
