"""Online reads: the features of requests at their own moments."""

from __future__ import annotations

import math
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import nan
from typing import Any

import numpy as np

from drivetrain.core.clock import Micros
from drivetrain.core.errors import FeatureError, StoreError
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.exact import Floats
from drivetrain.features.online.events import events_reader
from drivetrain.features.online.heads import heads_of
from drivetrain.features.online.history import Head, corrupt, nothing, stamp_of
from drivetrain.features.online.layout import Layout, history_key, key_of, key_of_one, key_parts, keys_of
from drivetrain.features.online.row import Row, RowReader, Values, Wanted
from drivetrain.features.online.scan import Scan
from drivetrain.features.view import FeatureView

_ATTEMPTS = 8
SCANS = 256
"""Entities of a view whose events are kept ready, where they are many and have to be looked at one by one."""
_MANY = 64
Answer = tuple[list[Any], list[float]]
Heads = Sequence[list[bytes | None]]


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
        self._spaces = [view.space for view in views]
        self._together = heads_of([view.layout for view in self._views], [view.reader.unknown for view in self._views])
        self._names = list(dict.fromkeys(view.entity.keys for view in views))
        self._keys = [_key_maker(keys) for keys in self._names]
        self.names = frozenset(name for names in self._names for name in names)
        self._key_of_view = [self._names.index(view.entity.keys) for view in views]
        self._starts = [sum(len(other.columns) for other in views[:place]) for place in range(len(views))]

    def read(self, keys: Sequence[Mapping[str, object]], ats: Sequence[Micros]) -> list[Answer]:
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
        if len(keys) == 1:
            return [self.read_one(keys[0], ats[0])]
        made = [[maker(key) for key in keys] for maker in self._keys]
        heads = [made[place] for place in self._key_of_view]
        asks = [(view.space, _there(some)) for view, some in zip(self._views, heads, strict=True)]
        return self._store.read_in_place(asks, partial(self._answers, heads, ats))

    def read_one(self, key: Mapping[str, object], at: Micros) -> Answer:
        """Features of one request; as :meth:`read`."""
        if len(self._keys) == 1:
            head = self._keys[0](key)
            if head is not None:
                one = (head,)
                asks = [(space, one) for space in self._spaces]
                return self._store.read_in_place(asks, partial(self._told, one * len(asks), at))
        made = [maker(key) for maker in self._keys]
        heads = [made[place] for place in self._key_of_view]
        asks = [(space, (head,)) for space, head in zip(self._spaces, heads, strict=True) if head is not None]
        return self._store.read_in_place(asks, partial(self._told, heads, at))

    def _told(self, heads: Sequence[bytes | None], at: Micros, rows: Sequence[Row | None]) -> Answer:
        nulls: list[int] = []
        if len(rows) < len(heads):
            found = iter(rows)
            rows = [None if head is None else next(found) for head in heads]
            nulls = [place for place, head in enumerate(heads) if head is None]
        values, ages, left = self._together.read(rows, at)
        for place in left + nulls:
            view, begin = self._views[place], self._starts[place]
            values[begin : begin + view.width], ages[place] = view.read(self._store, heads[place], rows[place], at)
        return values, ages

    def read_columns(self, keys: Mapping[str, Sequence[object]], ats: Sequence[Micros]) -> tuple[Floats, Floats]:
        """Features of many requests as numbers, for whoever scores in batches.

        Args:
            keys: Field → its value in each request, the entities' keys among them.
            ats: The requests' moments, microseconds.

        Returns:
            Features, shape (requests, features), NaN for null and 1 for true; and ages in seconds, shape (requests,
            views).

        Raises:
            FeatureError: A key is missing or can't be one, or a feature is a text.
            StoreError: The store can't be read.
        """
        made = [keys_of(keys, names) for names in self._names]
        heads = [made[place] for place in self._key_of_view]
        asks = [(view.space, _there(some)) for view, some in zip(self._views, heads, strict=True)]
        return self._store.read_in_place(asks, partial(self._numbers, heads, ats))

    def _numbers(self, heads: Heads, ats: Sequence[Micros], rows: Sequence[Row | None]) -> tuple[Floats, Floats]:
        features, ages, left = self._vectors(heads, ats, rows)
        for place, at, row in left:
            values, ages[at, place] = self._views[place].read(self._store, heads[place][at], row, ats[at])
            begin = self._starts[place]
            try:
                features[at, begin : begin + len(values)] = [nan if value is None else value for value in values]
            except ValueError:
                text = next(value for value in values if isinstance(value, str))
                raise FeatureError("a feature is a text, and numbers were asked for", found=repr(text)) from None
        return features, ages

    def _answers(self, heads: Heads, ats: Sequence[Micros], rows: Sequence[Row | None]) -> list[Answer]:
        features, ages, left = self._vectors(heads, ats, rows)
        answers = list(zip(features.tolist(), ages.tolist(), strict=True))
        for place, at, row in left:
            view, begin = self._views[place], self._starts[place]
            values, answers[at][1][place] = view.read(self._store, heads[place][at], row, ats[at])
            answers[at][0][begin : begin + view.width] = values
        return answers

    def _vectors(
        self, heads: Heads, ats: Sequence[Micros], rows: Sequence[Row | None]
    ) -> tuple[Floats, Floats, list[tuple[int, int, Row | None]]]:
        """Features and ages of all requests, and view, request and row of those that have to be read by themselves."""
        many = len(ats)
        if len(rows) < len(heads) * many:
            rows = [row for own in _split(heads, rows) for row in own]
        features, ages, left = self._together.fill(rows, np.array(ats, dtype=np.int64))
        return features, ages, [(place, at, rows[place * many + at]) for place, at in left]


def _there(keys: Sequence[bytes | None]) -> list[bytes]:
    """The keys that are no null."""
    return [key for key in keys if key is not None]


def _split(heads: Heads, rows: Sequence[Row | None]) -> Iterator[Sequence[Row | None]]:
    """The rows of each view, none where the key is null."""
    begin = 0
    for keys in heads:
        many = len(keys) - keys.count(None)
        own = rows[begin : begin + many]
        begin += many
        if many < len(keys):
            found = iter(own)
            own = [None if key is None else next(found) for key in keys]
        yield own


class _View:
    """One view, ready to be read."""

    def __init__(self, view: FeatureView) -> None:
        self.layout = Layout(view)
        self.reader = RowReader(self.layout)
        self.space = view.space
        self.width = len(view.columns)
        self._events = events_reader(self.layout)
        self._scans: OrderedDict[bytes, tuple[tuple[int, int], Scan]] = OrderedDict()

    def read(self, store: OnlineStore, key: bytes | None, row: Row | None, at: Micros) -> tuple[Values, float]:
        """Features and the age of the newest event in seconds."""
        if key is None:
            return self.reader.null, math.nan
        try:
            return self._of_entity(store, key, row, at)
        except (struct.error, ValueError, IndexError) as error:
            raise corrupt(self.layout, error) from error

    def _of_entity(self, store: OnlineStore, key: bytes, row: Row | None, at: Micros) -> tuple[Values, float]:
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

    def _scan(self, store: OnlineStore, key: bytes, row: Row, at: Micros) -> tuple[Values, float] | None:
        quick = None if self._events is None else self._events.read(store, key, row, at)
        if quick is not None:
            return quick
        row = bytes(row)  # what is kept ready must not lie in the store
        head = Head.read(row, self.layout)
        version = head.stamp, len(head.pending)
        ready = self._scans.get(key)
        if ready is not None and ready[0] == version:
            self._scans.move_to_end(key)
            return ready[1].read(at)
        if head.inline:
            history = head.history(row, self.layout)
        elif not head.events:
            history = nothing(self.layout)
        else:
            kept = store.read(self.space, [history_key(key)])[0]
            if kept is None or stamp_of(kept) != head.stamp:
                return None
            history = head.history(kept, self.layout)
        scan = Scan(self.layout, head, history)
        if head.events > _MANY:
            self._scans[key] = version, scan
            if len(self._scans) > SCANS:
                self._scans.popitem(last=False)
        return scan.read(at)


def _key_maker(names: tuple[str, ...]) -> Callable[[Mapping[str, object]], bytes | None]:
    if len(names) > 1:
        return lambda instance: key_of(key_parts(instance, names), names)
    only = names[0]

    def make(instance: Mapping[str, object]) -> bytes | None:
        value = instance.get(only)
        if type(value) is str or type(value) is int:
            return key_of_one(value)
        return key_of(key_parts(instance, names), names)

    return make
