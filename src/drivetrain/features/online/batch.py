"""Features of many entities at once: the heads put one after the other are one vector, and no row costs a call.

A begin's place among the times of a head's events is found for all rows and all spans together, by bisection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import SECOND
from drivetrain.features.exact import Floats, Places
from drivetrain.features.online.layout import HEAD, LAYOUT, PAGED, PENDING, TYPED, Layout
from drivetrain.features.online.pending import empty_row
from drivetrain.features.online.row import Row

_WORDS = HEAD.size // 8
_EVENTS, _ENDS, _NEWEST, _KNOWN = 0, 1, 3, 4  # words of HEAD
_REFUSED = 0xFF | (PAGED | PENDING) << 8


class BatchReader:
    """Features of views out of many heads, at moments that see all their events.

    Args:
        layouts: How rows of each view lie in bytes.
    """

    def __init__(self, layouts: Sequence[Layout]) -> None:
        self._views = len(layouts)
        spans = max(len(layout.spans) for layout in layouts)
        self._windows = np.zeros((self._views, spans, 1), dtype=np.int64)
        self._hops = np.ones((self._views, spans, 1), dtype=np.int64)
        for view, layout in enumerate(layouts):
            for at, (window, hop) in enumerate(layout.spans):
                self._windows[view, at], self._hops[view, at] = window, hop or 1
        self._hopping = bool((self._hops > 1).any())
        self._cells = _column([len(layout.cells) for layout in layouts])
        self._times = _column([_WORDS + before_times(layout) for layout in layouts])
        self._oldest = _column([_WORDS + len(layout.lifetimes) for layout in layouts])
        self._limits = _column([layout.view.ttl or 0 for layout in layouts])
        self._expires = _column([bool(layout.lasts and layout.view.ttl is not None) for layout in layouts]) > 0
        # A looked-up text or truth is no number: such rows are read one by one, as are those of scanned views.
        self._refused = _column([_REFUSED | (TYPED << 8 if layout.lasts else 0) for layout in layouts])
        self._scanned = _column([layout.scanned for layout in layouts]) > 0
        self._of, self._source, self._offset = np.concatenate(
            [sources(view, layout) for view, layout in enumerate(layouts)], axis=1
        )
        firsts = np.cumsum([0, *(len(layout.view.columns) for layout in layouts)]).tolist()
        self._since = [firsts[view] + at for view, layout in enumerate(layouts) for at in layout.since]
        self._blanks = [empty_row(layout) for layout in layouts]

    def read(self, rows: Sequence[Row | None], ats: Places) -> tuple[Floats, Floats, list[tuple[int, int]]]:
        """Answers what whole rows answer.

        Args:
            rows: Heads, view after view, of each view one a request; none where there is none.
            ats: Moments of the requests.

        Returns:
            Features, shape (requests, features); ages in seconds, shape (requests, views); and view and request of
            those whose numbers mean nothing: they have to be answered otherwise.
        """
        joined, sizes, left = self._joined(rows, len(ats))
        words, shape = np.frombuffer(joined, np.int64), (self._views, len(ats))
        start = (np.cumsum(sizes) - sizes).reshape(shape)
        sizes = sizes.reshape(shape)
        first = words[start]
        others = ((first ^ LAYOUT) & self._refused != 0) | (words[start + _ENDS] >> 32 != 8 * sizes) | self._scanned
        events = np.where(others, 0, first >> 32)
        others |= self._times + events + (events + 1) * self._cells > sizes
        others |= ats < words[start + _KNOWN]
        oldest = words.take(start + self._oldest, mode="clip")
        others |= self._expires & (oldest <= ats - self._limits)
        others.reshape(-1)[left] = True
        features = self._features(words, start, np.where(others, 0, events), ats)
        ages = (ats - words[start + _NEWEST]) / SECOND
        return features, ages.T, list(zip(*(places.tolist() for places in np.nonzero(others)), strict=True))

    def _joined(self, rows: Sequence[Row | None], requests: int) -> tuple[bytes, Places, list[int]]:
        """The rows as one, their sizes in words, and places of those that are not there or are no whole words."""
        try:
            sizes = np.fromiter(map(len, rows), np.int64, len(rows))  # type: ignore[arg-type]
            if not (sizes & 7).any() and sizes.min() >= HEAD.size:
                return b"".join(rows), sizes >> 3, []  # type: ignore[arg-type]
        except TypeError:  # one of them is none
            pass
        left = [at for at, row in enumerate(rows) if row is None or len(row) < HEAD.size or len(row) & 7]
        filled: list[Row] = list(rows)  # type: ignore[arg-type]
        for at in left:
            filled[at] = self._blanks[at // requests]
        return b"".join(filled), np.fromiter(map(len, filled), np.int64, len(filled)) >> 3, left

    def _features(self, words: Places, start: Places, events: Places, ats: Places) -> Floats:
        base = np.empty((self._views, 1 + self._windows.shape[1], len(ats)), dtype=np.int64)
        base[:, 0] = start
        if self._windows.shape[1]:
            begins = ats - self._windows
            if self._hopping:
                begins = begins // self._hops * self._hops
            times, events = (start + self._times)[:, None, :], events[:, None, :]
            base[:, 1:] = times + events + _places(words, times, events, begins) * self._cells[:, :, None]
        index = base[self._of, self._source] + self._offset[:, None]
        features = np.ascontiguousarray(words.view(np.float64).take(index, mode="clip").T)
        for column in self._since:
            features[:, column] = (ats - features[:, column]) / SECOND
        return features


def _places(words: Places, times: Places, events: Places, begins: Places) -> Places:
    """How many of each head's times are at most each begin; shape (views, spans, requests)."""
    place = np.zeros(begins.shape, dtype=np.int64)
    before = times - 1
    step = 1 << int(events.max(initial=0)).bit_length() >> 1
    while step:
        probe = place + step
        passed = words.take(before + probe, mode="clip") <= begins
        passed &= probe <= events
        place += passed * step
        step >>= 1
    return place


def sources(view: int, layout: Layout) -> npt.NDArray[np.int64]:
    """Where each feature is found: its view, which of a head's parts, and how many words into it; shape (3, features).

    Part 0 is the head itself, the others are the records of its spans.
    """
    lifetimes, cells = len(layout.lifetimes), len(layout.cells)
    records = lifetimes + len(layout.spans) * cells
    found = []
    for place in layout.places or [0] * len(layout.view.columns):
        if place < lifetimes:
            found.append((view, 0, _WORDS + place))
        elif place < records:
            span, cell = divmod(place - lifetimes, cells)
            found.append((view, 1 + span, cell))
        else:
            found.append((view, 0, _WORDS + lifetimes + 1 + place - records))
    return np.array(found, dtype=np.int64).T


def before_times(layout: Layout) -> int:
    """How many words of a head lie between HEAD and the event times."""
    return len(layout.lifetimes) + layout.last_words


def _column(numbers: Sequence[int]) -> Places:
    return np.array(numbers, dtype=np.int64)[:, None]
