"""Table versions become online rows: only what changed since the last version, each change exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.errors import StoreError
from drivetrain.features.asked import entity_of
from drivetrain.features.events import check_type, feature_dtype, inputs_of, numbers, times_of
from drivetrain.features.exact import Places
from drivetrain.features.online.arrive import TOLD_APART
from drivetrain.features.online.history import History, nothing
from drivetrain.features.online.identity import identities_of
from drivetrain.features.online.lay import Row
from drivetrain.features.online.layout import NEVER, TRIED, Layout, events_of, is_head, keys_of, keys_of_entity
from drivetrain.features.online.mark import Mark, decode_mark, encode_mark
from drivetrain.features.online.merge import Merge, Read
from drivetrain.features.online.pack import Present
from drivetrain.features.view import SEQUENCE, FeatureView
from drivetrain.store.bundle import Store

_NEVER = np.iinfo(np.int64).max
_SOME = 4096
"""Entities written in one step."""
_NUMBERS = 1 << 23
"""Numbers of events written in one step, unless one entity has more."""
_CALLS = 4
"""How often a step may find that others came first, before it is made smaller."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode


@dataclass(frozen=True)
class Materialised:
    """What a call did.

    Attributes:
        rows: Rows of the table that were new to the space.
        entities: Entities that were written.
        version: Version of the table that the space now holds.
    """

    rows: int
    entities: int
    version: int


def materialise(store: Store, view: FeatureView, version: int, *, now: Micros, grace: Micros = DAY) -> Materialised:
    """Brings a view's online rows up to a version of its table.

    Rows new since the last version are put into the entities they belong to, some entities at a time, and then the mark
    is set; an entity knows which rows it has, so that after a call that dies the next one does the rest and nothing
    twice. A row takes the place of the event that was pushed under its key. Where rows were replaced or deleted since,
    be it since a call that died, the entities they belonged to are made anew. A version that the space is past already
    changes nothing.

    Events are trimmed that no request can need: an entity answers exactly at every moment from its newest event, or
    from ``now`` where that is earlier, less ``grace``, on; before that, windows that reach trimmed events are null.

    Args:
        store: Where table and rows are.
        view: The view.
        version: Version of its table.
        now: The present.
        grace: How far behind an entity's newest event a request may be.

    Raises:
        FeatureError: The table lacks a column, or holds what can't be a key or a feature.
        StoreError: The store is full or away; what was written is found again by the next call.
    """
    packed = store.online.mark(view.space)
    mark = None if packed is None else decode_mark(packed)
    if mark is not None and version <= mark.version:
        return Materialised(0, 0, mark.version)
    rows = store.tables.scan(view.source.name, version)
    total = store.tables.rows(view.source.name, version)
    fresh = rows if mark is None else rows.filter(pl.col(SEQUENCE) > mark.sequence).collect().lazy()
    many = total if mark is None else int(fresh.select(pl.len()).collect().item())
    tried = [past for past in _tried(store, view) if past != version]
    again: Sequence[bytes | None] | None = None
    if tried or (mark is not None and total != mark.rows + many):
        before = tried if mark is None else [mark.version, *tried]
        try:
            gone = _gone(store, view, before, rows)
        except StoreError:  # nobody can say any more what the space holds: everything is made anew
            again, fresh = [key for key in store.online.keys(view.space) if is_head(key)], rows
        else:
            if len(gone):
                touched = pl.concat([gone, _entities(view, fresh)], how="vertical_relaxed").unique(maintain_order=True)
                again, fresh = keys_of(touched.to_dict(as_series=False), touched.columns), _of(view, rows, touched)
    store.online.write(view.space, [(TRIED, _encode([*tried, version]))])
    writing = _Writing(store, view, Present(now, grace))
    # Without a mark the rows are all there are: what an attempt that died has left is made anew.
    writing.take(fresh, anew=mark is None or again is not None)
    writing.forget(again or ())
    writing.commit(_next_mark(mark, version, total, writing, now))
    return Materialised(many, writing.entities, version)


def erase(store: Store, view: FeatureView, key: bytes) -> None:
    """Deletes every online row of an entity; ``key`` as :func:`layout.key_of` gives it."""
    erase_in(store, view.space, key)


def erase_in(store: Store, space: str, key: bytes) -> None:
    """The same in any space, also one whose view is not declared any more."""

    def change(read: Read) -> list[tuple[bytes, None]]:
        row = read([key])[0]
        return [] if row is None else [(stale, None) for stale in keys_of_entity(key, row)]

    store.online.update(space, change)


class _CrowdedError(Exception):
    """Others write the same entities all the time."""


class _Writing:
    """One materialisation: entities are written some at a time, so that what is pushed meanwhile need not wait long."""

    def __init__(self, store: Store, view: FeatureView, span: Present) -> None:
        self._store = store
        self._view = view
        self._span = span
        self._layout = Layout(view)
        self._written: set[bytes] = set()
        self._most = _SOME
        self.last_sequence = NEVER
        self.newest = NEVER
        self.entities = 0

    def take(self, rows: pl.LazyFrame, *, anew: bool) -> None:
        """Puts rows into their entities."""
        names, event, available, sequence = times_of(self._view, rows)
        self.last_sequence = max(self.last_sequence, int(sequence.max(initial=NEVER)))
        usable = (event < _NEVER) & ~names.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
        if not usable.any():
            return
        self.newest = max(self.newest, int(np.maximum(event, available)[usable].max()))
        # Sorted as the store has them, short texts before long ones: a step then touches one stretch of it.
        entities = names.filter(usable).unique().sort(pl.col(pl.String).str.len_bytes(), pl.all())
        keys = [key or b"" for key in keys_of(entities.to_dict(as_series=False), names.columns)]
        entity = entity_of(names, entities)
        entity[~usable] = -1
        history = self._history(rows, event, available, sequence)
        order = np.argsort(entity, kind="stable")
        starts = np.searchsorted(entity[order], np.arange(0, len(keys) + _SOME, _SOME))
        merge = Merge(self._layout, self._span, anew=anew)
        for at, (start, stop) in enumerate(pairwise(starts.tolist())):
            here = order[start:stop]
            part = History(history.times[:, here], history.values[:, here], history.texts, history.kinds)
            some = keys[at * _SOME : (at + 1) * _SOME]
            self._put(merge, some, part, entity[here] - at * _SOME)
        self._written.update(keys)
        self.entities = len(self._written)

    def _put(self, merge: Merge, keys: list[bytes], fresh: History, entity: Places) -> None:
        """Writes entities in one step, or in halves: those of many events, and those that others write all the time."""
        calls = 0

        def change(read: Read) -> list[Row]:
            nonlocal calls
            calls += 1
            if calls > _CALLS and len(keys) > 1:
                raise _CrowdedError
            return merge.rows(read, keys, fresh, entity)

        if len(keys) <= self._most and (len(keys) == 1 or fresh.times.size + fresh.values.size <= _NUMBERS):
            try:
                self._store.online.update(self._view.space, change)
            except _CrowdedError:
                self._most = len(keys) // 2
            else:
                return
        half = len(keys) // 2
        first = entity < half
        self._put(merge, keys[:half], fresh.only(first), entity[first])
        self._put(merge, keys[half:], fresh.only(~first), entity[~first] - half)

    def forget(self, keys: Sequence[bytes | None]) -> None:
        """Deletes what entities of these keys had of the table, where they have no rows any more."""
        gone = [key for key in keys if key is not None and key not in self._written]
        for key in gone:
            self._store.online.update(self._view.space, partial(_without_table, self._layout, key, self._span))

    def commit(self, mark: Mark) -> None:
        """Says how far the space is filled."""
        self._store.online.write(self._view.space, (), mark=encode_mark(mark))
        self._store.online.delete(self._view.space, [TRIED])

    def _history(self, rows: pl.LazyFrame, event: Places, available: Places, sequence: Places) -> History:
        layout, columns = self._layout, self._view.columns
        values = np.empty((layout.value_columns, len(event)))
        texts: list[str] = []
        kinds = ["n"] * len(layout.stored)
        for position, series, members in inputs_of(self._view, rows, layout.stored):
            at = layout.stored.index(position)
            asked = [feature for feature in columns if feature.input == position]
            for feature in asked:
                check_type(series.dtype, feature.kind, feature.name)
            told = next((feature for feature in asked if feature.kind in TOLD_APART), None)
            dtype = None if told is None else feature_dtype(series.dtype, told.name)
            if dtype == pl.String:
                kinds[at] = "t"
                values[at] = _numbered(series.cast(pl.String), texts)
            else:
                kinds[at] = "b" if dtype == pl.Boolean else "n"
                values[at] = numbers(series)
            if position in layout.members and members is not None:
                values[len(layout.stored) + layout.members.index(position)] = members.cast(pl.Float64).to_numpy()
        key = [pl.col(name) for name in self._view.source.key]
        present = set(self._view.source.key) <= set(rows.collect_schema().names())
        identity = identities_of(rows.select(key).collect()) if present else sequence
        times = np.stack([event, np.maximum(event, available), sequence, identity])
        return History(times, values, texts, "".join(kinds))


def _numbered(texts: pl.Series, known: list[str]) -> np.ndarray:
    """Texts as places in a list, which grows by those it lacks."""
    distinct = texts.drop_nulls().unique(maintain_order=True).to_list()
    places = {text: at for at, text in enumerate(known)}
    for text in distinct:
        if text not in places:
            places[text] = len(known)
            known.append(text)
    if not distinct:
        return np.full(len(texts), np.nan)
    codes = texts.replace_strict(list(places), list(places.values()), default=None, return_dtype=pl.Float64)
    return codes.fill_null(float("nan")).to_numpy()


def _without_table(layout: Layout, key: bytes, span: Present, read: Read) -> Iterator[Row]:
    """An entity with what was pushed to it and not with what the table had of it."""
    row = read([key])[0]
    if row is None:
        return
    for stale in keys_of_entity(key, row):
        yield stale, None
    made = dict(Merge(layout, span, anew=True).rows(read, [key], nothing(layout), np.empty(0, dtype=np.int64)))
    if events_of(made[key] or b""):
        yield from made.items()


def _tried(store: Store, view: FeatureView) -> list[int]:
    """Versions that calls which died have put in, some of them at least in part."""
    packed = store.online.read(view.space, [TRIED])[0]
    return [] if packed is None else _decode(packed)


def _of(view: FeatureView, rows: pl.LazyFrame, entities: pl.DataFrame) -> pl.LazyFrame:
    """Rows of some entities; in memory: they are read several times, and a join has an order of its own each time."""
    return rows.join(entities.lazy(), on=list(view.key_columns), how="semi").collect().lazy()


def _entities(view: FeatureView, rows: pl.LazyFrame) -> pl.DataFrame:
    return rows.select(view.key_columns).drop_nulls().unique(maintain_order=True).collect()


def _gone(store: Store, view: FeatureView, versions: Sequence[int], rows: pl.LazyFrame) -> pl.DataFrame:
    """Keys of entities that have lost rows since one of these versions.

    Raises:
        StoreError: One of them is not there any more.
    """
    now = rows.select(SEQUENCE).collect()
    before = [store.tables.scan(view.source.name, version) for version in versions]
    keys = [*dict.fromkeys(view.key_columns), SEQUENCE]
    lost = [_entities(view, past.select(keys).collect().join(now, on=SEQUENCE, how="anti").lazy()) for past in before]
    return pl.concat(lost, how="vertical_relaxed").unique(maintain_order=True)


def _next_mark(mark: Mark | None, version: int, total: int, writing: _Writing, now: Micros) -> Mark:
    sequence = max(writing.last_sequence, NEVER if mark is None else mark.sequence)
    newest = max(writing.newest, NEVER if mark is None else mark.newest)
    return Mark(version, sequence, total, now, newest)
