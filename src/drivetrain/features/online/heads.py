"""Heads of several views, read together where they are as most are; whatever else is said to be left over.

Two ways to the same answers: compiled (``_kernel.c``), where the package was installed on a machine with a compiler,
and in Python (:mod:`.plain`, :mod:`.batch`). Looking features up is a share of every request that nothing else can
take; the compiled way takes a third of the time for one request and a quarter for a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any, Protocol

import numpy as np

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.exact import Floats, Places
from drivetrain.features.online.batch import BatchReader, before_times, sources
from drivetrain.features.online.layout import HEAD, INLINE, LAYOUT, Layout
from drivetrain.features.online.plain import plain_reader
from drivetrain.features.online.row import Row

try:
    from drivetrain.features.online._kernel import Reader
except ImportError:  # built where there was no compiler
    Reader = None  # type: ignore[assignment, misc]

Read = tuple[list[Any], list[float], list[int]]
_WORDS = HEAD.size // 8
_FEWEST = 8
"""Requests from which on reading them together in Python costs less than one by one."""


class Heads(Protocol):
    """Reads heads of several views, in the order their features are wanted."""

    def read(self, rows: Sequence[Row | None], at: Micros) -> Read:
        """One request.

        Args:
            rows: A head of each view; none for an entity that has no row.
            at: The request's moment.

        Returns:
            Features, view after view; the age in seconds of each view's newest event; and views whose features mean
            nothing yet, because they have to be answered otherwise.
        """
        ...

    def fill(self, rows: Sequence[Row | None], ats: Places) -> tuple[Floats, Floats, list[tuple[int, int]]]:
        """Many requests.

        Args:
            rows: Heads, view after view, of each view one a request.
            ats: The requests' moments.

        Returns:
            Features, shape (requests, features); ages, shape (requests, views); and view and request of those that
            have to be answered otherwise, entities without a row among them.
        """
        ...


def compiled() -> bool:
    """Whether heads are read by compiled code here."""
    return Reader is not None


def heads_of(layouts: Sequence[Layout], unknown: Sequence[Sequence[float]]) -> Heads:
    """A reader of heads.

    Args:
        layouts: How the rows of each view lie in bytes.
        unknown: Features of an entity without a row, of each view.
    """
    return PlainHeads(layouts, unknown) if Reader is None else CompiledHeads(layouts, unknown)


class CompiledHeads:
    """Heads read by compiled code."""

    def __init__(self, layouts: Sequence[Layout], unknown: Sequence[Sequence[float]]) -> None:
        self._width = sum(len(layout.view.columns) for layout in layouts)
        self._views = len(layouts)
        views = tuple(_compiled(layout) for layout in layouts)
        blank = tuple(value for values in unknown for value in values)
        reader = Reader(LAYOUT, LAYOUT | INLINE << 8, float(SECOND), views, blank)
        self._fill = reader.fill
        self.read: Callable[[Sequence[Row | None], Micros], Read] = reader.read

    def fill(self, rows: Sequence[Row | None], ats: Places) -> tuple[Floats, Floats, list[tuple[int, int]]]:
        """Many requests."""
        features, ages = np.empty((len(ats), self._width)), np.empty((len(ats), self._views))
        return features, ages, self._fill(rows, ats, features, ages)


class PlainHeads:
    """Heads read in Python."""

    def __init__(self, layouts: Sequence[Layout], unknown: Sequence[Sequence[float]]) -> None:
        self._plain = [plain_reader(layout) for layout in layouts]
        self._unknown = unknown
        self._batch = BatchReader(layouts)

    def read(self, rows: Sequence[Row | None], at: Micros) -> Read:
        """One request."""
        values: list[Any] = []
        ages: list[float] = []
        left = []
        place = 0
        for plain, unknown in zip(self._plain, self._unknown, strict=True):
            row = rows[place]
            told = None if row is None else plain(row, at)
            if told is None:
                values += unknown
                ages.append(nan)
                if row is not None:
                    left.append(place)
            else:
                values += told[0]
                ages.append(told[1])
            place += 1  # noqa: SIM113 - counting by hand costs half of what enumerate does on three views
        return values, ages, left

    def fill(self, rows: Sequence[Row | None], ats: Places) -> tuple[Floats, Floats, list[tuple[int, int]]]:
        """Many requests."""
        many = len(ats)
        if many >= _FEWEST:
            return self._batch.read(rows, ats)
        read = [self.read(rows[at::many], moment) for at, moment in enumerate(ats.tolist())]
        left = [(place, at) for at, (_, _, others) in enumerate(read) for place in others]
        left += [(place // many, place % many) for place, row in enumerate(rows) if row is None]
        features = np.array([values for values, _, _ in read], dtype=np.float64)
        return features, np.array([ages for _, ages, _ in read]), left


def _compiled(
    layout: Layout,
) -> tuple[int, int, int, int, tuple[tuple[int, int], ...], tuple[tuple[int, int, bool], ...]]:
    """A view as the compiled reader is told of it."""
    view, width = layout.view, len(layout.view.columns)
    found = [(0, 0)] * width if layout.scanned else [(int(part), int(word)) for _, part, word in sources(0, layout).T]
    return (
        len(layout.cells),
        -1 if layout.scanned else _WORDS + before_times(layout),
        _WORDS + len(layout.lifetimes),
        view.ttl if view.ttl is not None and layout.lasts else -1,
        tuple((window, hop or 0) for window, hop in layout.spans),
        tuple((*place, at in layout.since) for at, place in enumerate(found)),
    )
