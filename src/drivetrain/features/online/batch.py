"""Features of many entities at once: the heads put one after the other are one vector, and no row costs a call.

A head's place among the times of its events is found for all rows and all spans together: first among every eighth
time, then among the eight in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.clock import SECOND
from drivetrain.features.exact import Floats, Places
from drivetrain.features.online.layout import HEAD, LAYOUT, PAGED, PENDING, TYPED, Layout
from drivetrain.features.online.pending import empty_row
from drivetrain.features.online.row import Row

FEWEST = 8
"""Rows from which on reading them together costs less than one by one."""
_WORDS = HEAD.size // 8
_EVENTS, _ENDS, _NEWEST, _KNOWN = 0, 1, 3, 4  # words of HEAD
_STEP = 8
_LAST = np.iinfo(np.int64).max


class BatchReader:
    """Features of one view out of many heads, at moments that see all their events.

    Args:
        layout: How rows lie in bytes; of a view that need not be scanned.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._windows = np.array([window for window, _ in layout.spans], dtype=np.int64)
        self._hops = np.array([hop or 1 for _, hop in layout.spans], dtype=np.int64)
        self._hopping = any(hop for _, hop in layout.spans)
        self._cells = np.arange(len(layout.cells))
        self._lifetimes = np.arange(_WORDS, _WORDS + len(layout.lifetimes))
        lasts = _WORDS + len(layout.lifetimes)
        self._oldest = lasts if layout.lasts else None
        self._lasts = np.arange(lasts + 1, lasts + 1 + len(layout.lasts))
        self._times = lasts + (1 + len(layout.lasts) if layout.lasts else 0)
        self._picked = np.array(layout.places)
        self._in_order = layout.places == tuple(range(len(layout.places)))
        self._since = list(layout.since)
        self._ttl = layout.view.ttl
        # A looked-up text or truth is no number: such rows are read one by one.
        self._refused = PAGED | PENDING | (TYPED if layout.lasts else 0)
        self._blank = empty_row(layout)

    def read(self, rows: Sequence[Row | None], ats: Places) -> tuple[Floats, Floats, list[int]]:
        """Answers the requests that whole rows answer.

        Args:
            rows: Heads; none where there is none.
            ats: Moments.

        Returns:
            Features, shape (rows, features); ages in seconds, shape (rows,); and places of the requests whose numbers
            mean nothing: they have to be answered otherwise.
        """
        left = [
            at
            for at, row in enumerate(rows)
            if row is None or len(row) < HEAD.size or row[0] != LAYOUT or row[1] & self._refused
        ]
        if left:
            blank = self._blank
            rows = list(rows)
            for at in left:
                rows[at] = blank
        joined = b"".join(rows)  # type: ignore[arg-type]
        sizes = np.fromiter(map(len, rows), np.int64, len(rows)) >> 3  # type: ignore[arg-type]
        start = np.cumsum(sizes) - sizes
        words = np.frombuffer(joined, np.int64) if len(joined) == 8 * sizes.sum() else None
        if words is None or (words[start + _ENDS] >> 32 != 8 * sizes).any():
            # One of them is damaged: each is looked at by itself, and the one is named.
            nothing = np.full((len(rows), len(self._picked)), np.nan)
            return nothing, nothing[:, 0], [*range(len(rows))]
        early = ats < words[start + _KNOWN]
        if self._oldest is not None and self._ttl is not None:
            early |= words[start + self._oldest] <= ats - self._ttl
        if early.any():
            left = sorted({*left, *np.flatnonzero(early).tolist()})
        return self._values(words, start, ats), (ats - words[start + _NEWEST]) / SECOND, left

    def _values(self, words: Places, start: Places, at: Places) -> Floats:
        floats = words.view(np.float64)
        many = len(start)
        parts = []
        if len(self._lifetimes):
            parts.append(floats[start[:, None] + self._lifetimes])
        if len(self._windows):
            events = words[start + _EVENTS] >> 32
            begins = at[:, None] - self._windows
            if self._hopping:
                begins = begins // self._hops * self._hops
            times = start + self._times
            place = _places(words, times, events, begins)
            records = (times + events)[:, None] + place * len(self._cells)
            parts.append(floats[records[:, :, None] + self._cells].reshape(many, -1))
        if len(self._lasts):
            parts.append(floats[start[:, None] + self._lasts])
        made = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if not self._in_order:
            made = made[:, self._picked]
        for feature in self._since:
            made[:, feature] = (at - made[:, feature]) / SECOND
        return made


def _places(words: Places, times: Places, events: Places, begins: Places) -> Places:
    """How many of each row's times are at most each begin; shape (rows, spans)."""
    most = int(events.max())
    blocks = np.arange(_STEP - 1, max(most, 1), _STEP)
    within = np.arange(_STEP)
    limit = len(words) - 1
    if len(blocks):
        there = blocks < events[:, None]
        marks = words[np.minimum(times[:, None] + blocks, limit)]
        passed = np.where(there, marks, _LAST)[:, None, :] <= begins[:, :, None]
        first = passed.sum(axis=2) * _STEP
    else:
        first = np.zeros(begins.shape, dtype=np.int64)
    inner = first[:, :, None] + within
    marks = words[np.minimum(times[:, None, None] + inner, limit)]
    passed = (marks <= begins[:, :, None]) & (inner < events[:, None, None])
    place: Places = first + passed.sum(axis=2)
    return place
