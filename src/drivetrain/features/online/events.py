"""Features from an entity's events at moments before some of them were known, by compiled code where there is any.

Says what :mod:`.scan` says, or nothing: then that module is asked. A replay asks nearly every question so, as rows of
the days after the one that is asked about are there already.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeAlias

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.aggregate import Kind
from drivetrain.features.online.history import stamp_of
from drivetrain.features.online.layout import HEAD, INLINE, LAYOUT, PENDING, TIMES, TYPED, Layout, history_key
from drivetrain.features.online.row import Row
from drivetrain.features.view import Feature

try:
    from drivetrain.features.online._events import Scanner
except ImportError:  # built where there was no compiler
    Scanner = None  # type: ignore[assignment, misc]

Asks: TypeAlias = tuple[int, int, int, int, int]
"""Kind, column of values, column of what a condition lets through, rank, window."""
KEPT = 256
"""Entities of a view whose histories are kept at hand, where they are long."""
_LONG = 64
_FAR = 2**62
"""Microseconds of the longest window, and of moments on either side of 1970, that compiled code is asked about."""
_KINDS: dict[Kind, int] = {"count": 0, "sum": 1, "mean": 2, "share": 2, "min": 3, "max": 4, "last": 5, "since": 6}


def compiled() -> bool:
    """Whether events are looked at by compiled code here."""
    return Scanner is not None


def events_reader(layout: Layout) -> EventsReader | None:
    """A reader of events; none without compiled code, and where some feature asks for more than it knows."""
    plain = all(one.kind in _KINDS and not one.offset and one.hop is None for one in layout.view.columns)
    longest = max([layout.view.ttl or 0, *(one.window or 0 for one in layout.view.columns)])
    if Scanner is None or not plain or layout.tile or layout.bases or longest > _FAR:
        return None
    return EventsReader(layout)


class EventsReader:
    """Features of one view from events.

    Args:
        layout: How rows lie in bytes.
    """

    def __init__(self, layout: Layout) -> None:
        view = layout.view
        self._space = view.space
        self._size = 8 * (TIMES + layout.value_columns)
        asked = tuple(_asked(layout, feature) for feature in view.columns)
        self._read = Scanner(float(SECOND), layout.value_columns, -1 if view.ttl is None else view.ttl, asked).read
        self._histories: OrderedDict[bytes, bytes] = OrderedDict()

    def read(self, store: OnlineStore, key: bytes, row: Row, at: Micros) -> tuple[list[float], float] | None:
        """Features, and the age of the newest known event in seconds (NaN if there is none).

        Args:
            store: Where a long history is, under a key of its own.
            key: Key of the entity's head.
            row: The head.
            at: The moment.

        Returns:
            None where events are pending, a looked-up value is no number, head and history don't fit together, or the
            moment lies further off than 64-bit numbers tell.

        Raises:
            ValueError: The row is damaged.
        """
        number, flags, _, events, end, pending, _, _, _, _, trimmed, latest, _, limit, stamp = HEAD.unpack_from(row)
        if number != LAYOUT or flags & (PENDING | TYPED) or pending != len(row):
            return None
        old = (trimmed, latest, limit)
        if flags & INLINE or not events:
            return self._read(row, end // 8 * 8 - self._size * events, events, at, old)
        history = self._history(store, key, stamp, events)
        if history is None:
            return None
        return self._read(history, len(history) - self._size * events, events, at, old)

    def _history(self, store: OnlineStore, key: bytes, stamp: int, events: int) -> bytes | None:
        kept = self._histories.get(key)
        if kept is None or stamp_of(kept) != stamp:
            kept = store.read(self._space, [history_key(key)])[0]
            if kept is None or stamp_of(kept) != stamp:
                return None
            if events > _LONG:
                self._histories[key] = kept
                self._histories.move_to_end(key)
                if len(self._histories) > KEPT:
                    self._histories.popitem(last=False)
        else:
            self._histories.move_to_end(key)
        return kept


def _asked(layout: Layout, feature: Feature) -> Asks:
    """A feature as the compiled code is told of it."""
    given, stored = feature.input, len(layout.stored)
    column = layout.stored.index(given) if given in layout.stored else -1
    members = stored + layout.members.index(given) if feature.looked_up and given in layout.members else -1
    return _KINDS[feature.kind], column, members, int(feature.argument or 0), feature.window or 0
