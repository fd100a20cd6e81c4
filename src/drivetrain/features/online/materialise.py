"""Table versions become online rows: only what changed since the last version, each change exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.errors import StoreError
from drivetrain.features.asked import entity_of
from drivetrain.features.events import check_type, feature_dtype, inputs_of, numbers, times_of
from drivetrain.features.exact import Places
from drivetrain.features.online.history import Head, History, join, stamp_of
from drivetrain.features.online.layout import Layout, history_key, key_of, keys_of_entity
from drivetrain.features.online.mark import Mark, decode_mark, encode_mark
from drivetrain.features.online.pack import Kept, empty_base, rows_of
from drivetrain.features.view import SEQUENCE, FeatureView
from drivetrain.store.bundle import Store

_NEVER = np.iinfo(np.int64).max
_FIRST = np.iinfo(np.int64).min


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

    Rows new since the last version are put into the entities they belong to; rows and mark are written together, so a
    call that dies changes nothing and the next one does it all. Where rows were replaced or deleted since, the entities
    they belonged to are made anew. A version that the space is past already changes nothing.

    Events are trimmed that no request can need: an entity answers exactly at every moment from its newest event, less
    ``grace``, on; before that, windows that reach trimmed events are null.

    Args:
        store: Where table and rows are.
        view: The view.
        version: Version of its table.
        now: The present, for the mark.
        grace: How far behind an entity's newest event a request may be.

    Raises:
        FeatureError: The table lacks a column, or holds what can't be a key or a feature.
        StoreError: The store is full or away; nothing was kept.
    """
    packed = store.online.mark(view.space)
    mark = None if packed is None else decode_mark(packed)
    if mark is not None and version <= mark.version:
        return Materialised(0, 0, mark.version)
    rows = store.tables.scan(view.source.name, version)
    total = store.tables.rows(view.source.name, version)
    fresh = rows if mark is None else rows.filter(pl.col(SEQUENCE) > mark.sequence).collect().lazy()
    many = total if mark is None else int(fresh.select(pl.len()).collect().item())
    again = None
    if mark is not None and total != mark.rows + many:
        again = _touched(store, view, mark, rows, fresh)
        if again is None:
            store.online.drop(view.space)
            mark, fresh = None, rows
        else:
            fresh = rows.join(again.lazy(), on=list(view.key_columns), how="semi")
    writing = _Writing(store, view, grace)
    writing.take(fresh, merge=mark is not None and again is None)
    if again is not None:
        writing.forget(again)
    writing.commit(_next_mark(mark, version, total, writing, now))
    return Materialised(many, len(writing.keys), version)


def erase(store: Store, view: FeatureView, key: bytes) -> None:
    """Deletes every online row of an entity; ``key`` as :func:`layout.key_of` gives it."""
    row = store.online.read(view.space, [key])[0]
    if row is not None:
        store.online.delete(view.space, keys_of_entity(key, row))


class _Writing:
    """One materialisation, from rows to a single write."""

    def __init__(self, store: Store, view: FeatureView, grace: Micros) -> None:
        self._store = store
        self._view = view
        self._grace = grace
        self._layout = Layout(view)
        self.keys: list[bytes] = []
        self.last_sequence = _FIRST
        self.newest = _FIRST
        self._rows: Iterator[tuple[bytes, bytes]] = iter(())

    def take(self, rows: pl.LazyFrame, *, merge: bool) -> None:
        """Reads rows and packs their entities, with the events that the store has of them if they are to be merged."""
        names, event, available, sequence = times_of(self._view, rows)
        self.last_sequence = int(sequence.max(initial=_FIRST))
        usable = (event < _NEVER) & ~names.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
        if not usable.any():
            return
        self.newest = int(np.maximum(event, available)[usable].max())
        entities = names.filter(usable).unique(maintain_order=True)
        self.keys = [key or b"" for key in (key_of(row, names.columns) for row in entities.iter_rows())]
        entity = entity_of(names, entities)
        history = self._history(rows, event, available, sequence)
        kept = np.flatnonzero(usable)
        fresh = History(history.times[:, kept], history.values[:, kept], history.texts, history.kinds)
        state = Kept(
            self.keys,
            np.zeros(len(self.keys), dtype=np.int64),
            np.zeros(len(self.keys), dtype=np.int64),
            np.full((len(self.keys), 2), _FIRST),
            empty_base(len(self.keys), self._layout),
        )
        where = entity[kept]
        if merge:
            fresh, where = self._merged(fresh, where, state)
        self._rows = rows_of(self._layout, fresh, where, state, self._grace)

    def forget(self, touched: pl.DataFrame) -> None:
        """Deletes entities that were touched and have no rows any more."""
        keys = (key_of(row, touched.columns) for row in touched.iter_rows())
        gone = [key for key in keys if key is not None and key not in set(self.keys)]
        for key, row in zip(gone, self._store.online.read(self._view.space, gone), strict=True):
            if row is not None:
                self._store.online.delete(self._view.space, keys_of_entity(key, row))

    def commit(self, mark: Mark) -> None:
        """Writes rows and mark, all or none."""
        self._store.online.write(self._view.space, self._rows, mark=encode_mark(mark))

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
            looked_up = next((feature for feature in asked if feature.looked_up), None)
            dtype = None if looked_up is None else feature_dtype(series.dtype, looked_up.name)
            if dtype == pl.String:
                kinds[at] = "t"
                values[at] = _numbered(series.cast(pl.String), texts)
            else:
                kinds[at] = "b" if dtype == pl.Boolean else "n"
                values[at] = numbers(series)
            if position in layout.members and members is not None:
                values[len(layout.stored) + layout.members.index(position)] = members.cast(pl.Float64).to_numpy()
        return History(np.stack([event, np.maximum(event, available), sequence]), values, texts, "".join(kinds))

    def _merged(self, fresh: History, entity: Places, state: Kept) -> tuple[History, Places]:
        """The new events and those that the store has of their entities."""
        parts, owners = [fresh], [entity]
        heads = self._store.online.read(self._view.space, self.keys)
        for at, row in enumerate(heads):
            if row is None:
                continue
            head = Head.read(row, self._layout)
            history = head.history(row if not head.paged else self._read_history(at, head), self._layout)
            state.generation[at] = 1 - head.generation if head.paged else head.generation
            state.pages[at] = head.pages
            state.trimmed[at] = head.trimmed
            state.base[at] = head.base
            parts.append(history)
            owners.append(np.full(head.events, at))
        return join(parts, fresh.kinds), np.concatenate(owners)

    def _read_history(self, at: int, head: Head) -> bytes:
        row = self._store.online.read(self._view.space, [history_key(self.keys[at], head.generation)])[0]
        if row is None or stamp_of(row) != head.stamp:
            raise StoreError(
                f"the online rows of view {self._view.name!r} don't fit together",
                do=f"Drop the space {self._view.space} and materialise the view again",
            )
        return row


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


def _touched(
    store: Store, view: FeatureView, mark: Mark, rows: pl.LazyFrame, fresh: pl.LazyFrame
) -> pl.DataFrame | None:
    """Keys of entities whose rows were replaced, deleted or added since a mark; none if that can't be told."""
    keys = [pl.col(column) for column in dict.fromkeys(view.key_columns)]
    try:
        before = store.tables.scan(view.source.name, mark.version).select(*keys, SEQUENCE).collect()
    except StoreError:
        return None
    now = rows.select(SEQUENCE).collect()
    gone = before.join(now, on=SEQUENCE, how="anti").select(keys)
    added = fresh.select(keys).collect()
    return pl.concat([gone, added], how="vertical_relaxed").drop_nulls().unique(maintain_order=True)


def _next_mark(mark: Mark | None, version: int, total: int, writing: _Writing, now: Micros) -> Mark:
    sequence = max(writing.last_sequence, _FIRST if mark is None else mark.sequence)
    newest = max(writing.newest, _FIRST if mark is None else mark.newest)
    return Mark(version, sequence, total, now, newest)
