"""What earlier batches of a source say about the next: how many rows they brought, and how their values lay."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivetrain.core.hashing import Digest
from drivetrain.core.records import TableVersion
from drivetrain.data.judge import HISTORY, History, delivered_by
from drivetrain.data.profile import LAYOUT, ColumnProfile, TableProfile, extended, newest, profile
from drivetrain.data.source import Source
from drivetrain.data.veil import Veil, veil_of
from drivetrain.store.bundle import Store

Columns = Callable[[], Sequence[ColumnProfile]]
"""The profile of a batch's rows, made when it is asked for."""


def history(store: Store, source: Source, batches: int) -> History:
    """What a batch of a source is compared with.

    Args:
        store: Where table and catalog are.
        source: The source.
        batches: How many batches its table is made of, under its present definition.
    """
    if not batches:
        return History()
    found = store.catalog.find(TableVersion, source.name, limit=HISTORY + 1) if source.contract.volume else []
    # What left the cursor where it was brought nothing: the table was put in order, or rows were brought back.
    moved = [
        delivered_by(made)
        for at, made in enumerate(found)
        if at + 1 == len(found) or made.cursor != found[at + 1].cursor
    ]
    return History(moved[: min(batches, HISTORY)], lambda: _reference(store, source))


def profiled(
    store: Store, made: TableVersion, columns: Columns, *, before: Digest, whole: bool, updates: int, veil: Veil
) -> list[TableProfile]:
    """The profile of a version that a batch has just made, to be kept with it; none where it must be made later.

    Args:
        store: Where the catalog is.
        made: The version.
        columns: Of the rows that the batch has written.
        before: Digest of the table before the batch.
        whole: Whether the batch is all there is.
        updates: How many of its rows took the place of others: those can't be taken out of a profile.
        veil: Which columns are only counted.
    """
    if whole:
        found: tuple[ColumnProfile, ...] | None = tuple(columns())
    else:
        base = None if updates else newest(store, made.table, before, veil)
        if base is None:
            return []
        found = base.columns if made.digest == before else extended(base.columns, tuple(columns()))
    if found is None:
        return []
    return [
        TableProfile(
            at=made.at,
            table=made.table,
            version=made.version,
            rows=made.rows,
            columns=found,
            digest=made.digest,
            layout=LAYOUT,
        )
    ]


def _reference(store: Store, source: Source) -> TableProfile | None:
    present = store.tables.version(source.name)
    wanted = source.contract.reference
    if present is None or (wanted is not None and wanted > present):
        return None
    return profile(store, source.name, present if wanted is None else wanted, veil=veil_of(source))
