"""Rows of the quarantine, back through ``prepare`` and contract into their table.

What passes is committed to the table together with the names of the rows it was made of; these are removed from the
quarantine afterwards. Killed in between, the next ingestion or readmission removes them: the table's own entry says
which. What breaks a rule again stays, with the reasons it has now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import RefusedError, UnknownName
from drivetrain.data import ledger, quarantine
from drivetrain.data.ingest import bring_back
from drivetrain.data.ledger import Entry
from drivetrain.data.quarantine import UNREADABLE
from drivetrain.data.reader import Batch
from drivetrain.data.readers.columns import frame_of_rows
from drivetrain.data.source import Source
from drivetrain.store.bundle import Store

AT_ONCE = 2_000
"""Rows of one commit."""


class Readmitted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of rows that were to be brought back.

    Attributes:
        table: The table.
        version: Its version afterwards.
        tried: How many rows went through.
        admitted: How many of them left the quarantine for good.
        refused: How many broke a rule again.
        unreadable: How many could not be tried: nothing could be read from them but text.
        reasons: What was broken again, with counts.
    """

    table: str
    version: int
    tried: int = 0
    admitted: int = 0
    refused: int = 0
    unreadable: int = 0
    reasons: dict[str, int] = {}


def readmit(
    store: Store,
    source: Source,
    names: Sequence[str],
    *,
    now: Micros,
    sources: Mapping[str, Source],
    mend: Mapping[str, Any] | None = None,
) -> Readmitted:
    """Brings rows back.

    Args:
        store: Where the table is.
        source: Whose rows.
        names: Which, by the names that the quarantine gives them.
        now: The present moment, for the records.
        sources: Every source of the project, by name.
        mend: Column → value to set in all of them first.

    Raises:
        UnknownName: Nothing was ever taken in.
        RefusedError: The source is declared otherwise than when its table was filled; or the quarantine does not keep
            the values of a column, which are treated or secret.
        SourceError: A row lacks a column, or ``prepare`` failed.
    """
    present = ledger.last_entry(store.tables, source.name)
    if present is None:
        raise UnknownName(f"there is no table {source.name!r} yet", do="Run: drivetrain run --only data")
    if ledger.begins_anew(source, present[0]):
        raise RefusedError(
            f"source {source.name!r} is declared otherwise than when its table was filled: everything is read again, "
            "bad rows too",
            do="Run: drivetrain run --only data. Then bring back what is still set aside",
        )

    _check_kept(source, mend or {})

    def batches(entry: Entry) -> Iterator[Batch]:
        found = quarantine.standing(store.tables, source.name)
        yield from _batches(found.filter(pl.col("_name").is_in(names)), source, entry, mend or {})

    chosen = quarantine.standing(store.tables, source.name).filter(pl.col("_name").is_in(names))
    made = bring_back(store, source, batches, now=now, sources=sources)
    reasons: dict[str, int] = {}
    for entry in made.entries:
        for rule, count in entry.reasons.items():
            reasons[rule] = reasons.get(rule, 0) + count
    tried = sum(entry.delivered for entry in made.entries)
    refused = sum(entry.quarantined for entry in made.entries)
    return Readmitted(
        table=source.name,
        version=made.version,
        tried=tried,
        admitted=tried - refused,
        refused=refused,
        unreadable=chosen.filter(_unreadable()).height,
        reasons=reasons,
    )


def _check_kept(source: Source, mend: Mapping[str, Any]) -> None:
    """Refuses to take what stands in the quarantine for a value that it must not hold for that value."""
    columns = source.contract.columns
    withheld = [name for name, column in columns.items() if column.treat is not None or column.privacy == "secret"]
    if lost := [name for name in withheld if name not in mend]:
        raise RefusedError(
            f"rows of {source.name!r} can't be brought back: the quarantine does not keep their {', '.join(lost)}",
            do="Deliver them through the source again, or say what these columns are to hold with --set",
        )


def _unreadable() -> pl.Expr:
    return pl.col("_rules").list.contains(UNREADABLE)


def _batches(found: pl.DataFrame, source: Source, entry: Entry, mend: Mapping[str, Any]) -> Iterator[Batch]:
    readable = found.filter(~_unreadable())
    decoder = msgspec.json.Decoder(dict[str, Any])
    rows = [decoder.decode(row) for row in readable["_row"]]
    # What was refused before this was kept has been prepared if it has the columns that the contract declares.
    declared = set(source.contract.columns)
    prepared = [
        declared <= set(row) if known is None else known for row, known in zip(rows, readable["_prepared"], strict=True)
    ]
    numbered = readable.with_columns(_prepared=pl.Series(prepared, dtype=pl.Boolean)).with_row_index("_place")
    for (origin, done), some in numbered.partition_by(
        "_origin", "_prepared", maintain_order=True, as_dict=True
    ).items():
        for at in range(0, some.height, AT_ONCE):
            part = some[at : at + AT_ONCE]
            yield Batch(
                rows=frame_of_rows([rows[place] | dict(mend) for place in part["_place"]]),
                cursor=entry.cursor,
                origin=str(origin),
                readmitted=tuple(dict.fromkeys(part["_name"])),
                prepared=bool(done),
            )
