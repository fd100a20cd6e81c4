"""Online reads: the features of requests at their own moments."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from drivetrain.core.clock import Micros
from drivetrain.core.errors import StoreError
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.online.history import Head, stamp_of
from drivetrain.features.online.layout import Layout, history_key, key_of, key_parts
from drivetrain.features.online.row import RowReader, Values, Wanted
from drivetrain.features.online.scan import Scan
from drivetrain.features.view import FeatureView

_ATTEMPTS = 8
SCANS = 256
"""Entities of a view whose events are kept ready, where they are many and have to be looked at one by one."""
_MANY = 64


class OnlineReader:
    """Reads the features of views for requests, the same values a training set has for the same moments.

    Windows, availability and time to live are those of the request's moment, not of materialisation. Numbers are
    float64 with NaN for null; booleans and texts are ``None`` where they are null. An entity that has no row has no
    events: its counts are 0. A request with a null in its key has null features.

    Args:
        store: The online store.
        views: The views, in the order their features are wanted.
    """

    def __init__(self, store: OnlineStore, views: Sequence[FeatureView]) -> None:
        self._store = store
        self._views = [_View(view) for view in views]
        names = list(dict.fromkeys(view.entity.keys for view in views))
        self._keys = [_key_maker(keys) for keys in names]
        self._key_of_view = [names.index(view.entity.keys) for view in views]

    def read(self, keys: Sequence[Mapping[str, object]], ats: Sequence[Micros]) -> list[tuple[Values, list[float]]]:
        """Features of requests.

        Args:
            keys: For each request its fields, the entities' keys among them.
            ats: For each its moment, microseconds.

        Returns:
            For each its values, view after view, and for each view the age in seconds of the newest event it knew (NaN
            if there was none).

        Raises:
            FeatureError: A request lacks a key, or has one of a type that can't be one.
            StoreError: The store can't be read.
        """
        views = self._views
        makers, which = self._keys, self._key_of_view
        found: list[bytes | None] = []
        asks = []
        for key in keys:
            made = [maker(key) for maker in makers]
            for view, place in zip(views, which, strict=True):
                head = made[place]
                found.append(head)
                if head is not None:
                    asks.append((view.space, head))
        rows = iter(self._store.read_many(asks))
        heads = iter(found)
        answers = []
        for at in ats:
            values: Values = []
            ages = []
            for view in views:
                head = next(heads)
                if head is None:
                    values += view.reader.null
                    ages.append(math.nan)
                    continue
                some, age = view.read(self._store, head, next(rows), at)
                values += some
                ages.append(age)
            answers.append((values, ages))
        return answers


class _View:
    """One view, ready to be read."""

    def __init__(self, view: FeatureView) -> None:
        self.layout = Layout(view)
        self.reader = RowReader(self.layout)
        self.space = view.space
        self._scans: OrderedDict[bytes, tuple[tuple[int, int], Scan]] = OrderedDict()

    def read(self, store: OnlineStore, key: bytes, row: bytes | None, at: Micros) -> tuple[Values, float]:
        for _ in range(_ATTEMPTS):
            if row is None:
                return self.reader.unknown, math.nan
            answer = self.reader.read(key, row, at)
            if type(answer) is tuple:
                return answer
            whole = self._pages(store, answer, at) if isinstance(answer, Wanted) else self._scan(store, key, row, at)
            if whole is not None:
                return whole
            row = store.read(self.space, [key])[0]
        raise StoreError(
            f"the online rows of view {self.layout.view.name!r} don't fit together",
            do=f"Drop the space {self.space} and materialise the view again",
        )

    def _pages(self, store: OnlineStore, wanted: Wanted, at: Micros) -> tuple[Values, float] | None:
        asked = [key for key in dict.fromkeys(wanted.keys) if key is not None]
        pages = dict(zip(asked, store.read(self.space, asked), strict=True))
        return self.reader.finish(wanted, [None if key is None else pages[key] for key in wanted.keys], at)

    def _scan(self, store: OnlineStore, key: bytes, row: bytes, at: Micros) -> tuple[Values, float] | None:
        head = Head.read(row, self.layout)
        version = head.stamp, len(head.pending)
        ready = self._scans.get(key)
        if ready is not None and ready[0] == version:
            self._scans.move_to_end(key)
            return ready[1].read(at)
        if head.paged:
            kept = store.read(self.space, [history_key(key, head.generation)])[0]
            if kept is None or stamp_of(kept) != head.stamp:
                return None
            row = kept
        scan = Scan(self.layout, head, head.history(row, self.layout))
        if head.events > _MANY:
            self._scans[key] = version, scan
            if len(self._scans) > SCANS:
                self._scans.popitem(last=False)
        return scan.read(at)


def _key_maker(names: tuple[str, ...]) -> Callable[[Mapping[str, object]], bytes | None]:
    return lambda instance: key_of(key_parts(instance, names), names)
