"""Rows that a contract refused: kept beside the table, with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest, digest
from drivetrain.data.breach import Breach, reasons_of
from drivetrain.data.ledger import Entry, entry_at
from drivetrain.data.reader import Batch, Unreadable
from drivetrain.store.tables import Tables

SCHEMA = {
    "_number": pl.Int64(),
    "_batch": pl.String(),
    "_origin": pl.String(),
    "_line": pl.Int64(),
    "_rules": pl.List(pl.String()),
    "_reasons": pl.List(pl.String()),
    "_row": pl.String(),
    "_ingested_at": pl.Datetime("us", "UTC"),
    "_prepared": pl.Boolean(),
}


UNREADABLE = "unreadable row"
_AT_ONCE = 500
"""Rows that one statement names."""
_LOOKED_BACK = 16
"""Batches among which rows of overtaken processes are looked for."""


@dataclass(frozen=True)
class Refused:
    """A row that was set aside.

    Attributes:
        line: Where it stood in its file, if that is known.
        rules: What it broke, in words that are the same for every row that broke it.
        reasons: The same with what was found in this row.
        row: The row as JSON, or as it came where it could not be read.
        prepared: Whether the row had been through the source's ``prepare``.
    """

    line: int | None
    rules: list[str]
    reasons: list[str]
    row: str
    prepared: bool = False


def table_name(name: str) -> str:
    """The quarantine of a table is a table too."""
    return f"quarantine/{name}"


def refuse(
    frame: pl.DataFrame, breaches: Sequence[Breach], broken: pl.Series, *, prepared: bool = False
) -> list[Refused]:
    """The rows of a frame that are broken, with what each of them broke."""
    if not broken.any():
        return []
    reasons = reasons_of(breaches)
    rows = frame.filter(broken).write_ndjson().splitlines()
    return [
        Refused(None, [rule for rule, _ in reasons[place]], [reason for _, reason in reasons[place]], row, prepared)
        for place, row in zip(broken.arg_true().to_list(), rows, strict=True)
    ]


def refuse_unreadable(rows: Sequence[Unreadable]) -> list[Refused]:
    """Raw rows that no table could have been made of."""
    return [Refused(row.line, [UNREADABLE], [row.reason], row.text) for row in rows]


def summary(tables: Tables, name: str) -> dict[str, int]:
    """What is in a table's quarantine: rule → rows that broke it, most first; empty if nothing is.

    A row that broke two rules counts under both.
    """
    if tables.version(table_name(name)) is None:
        return {}
    rules = tables.scan(table_name(name)).select(pl.col("_rules").explode(empty_as_null=False))
    counts = rules.group_by("_rules").len().sort(["len", "_rules"], descending=[True, False]).collect()
    return dict(counts.iter_rows())


def batch_digest(number: int, cursor: str, refused: Sequence[Refused]) -> Digest:
    """Names a batch by what it is, so that the same one taken in again after a kill finds its rows already there."""
    return digest([number, cursor, [[row.line, row.reasons, row.row] for row in refused]])


def unseen(tables: Tables, name: str, batch: Batch, number: int, refused: Sequence[Refused]) -> list[Refused]:
    """The rows that are not in quarantine already for the same reasons: the same bad input twice is one bad row.

    Args:
        tables: Where the quarantine is.
        name: The table.
        batch: What the rows came from; if it was read before, what it left then is about to be removed.
        number: The batch's number; rows under it or a later one are not decided yet.
        refused: The rows.
    """
    quarantine = table_name(name)
    if not refused or batch.readmitted or tables.version(quarantine) is None:
        return list(refused)
    standing = tables.scan(quarantine).filter(pl.col("_number") < number)
    if batch.again:
        standing = standing.filter(pl.col("_origin") != batch.origin)
    wanted = {(row.row, tuple(row.rules)) for row in refused}
    kept: dict[tuple[int, Digest], set[tuple[str, tuple[str, ...]]]] = {}
    for row, rules, *pair in standing.select("_row", "_rules", "_number", "_batch").collect().iter_rows():
        if (row, tuple(rules)) in wanted:
            kept.setdefault((pair[0], pair[1]), set()).add((row, tuple(rules)))
    # What another process is about to take back is not there.
    overtaken = _overtaken(tables, name, number - 1, set(kept))
    known = {one for pair, rows in kept.items() if pair not in overtaken for one in rows}
    return [row for row in refused if (row.row, tuple(row.rules)) not in known]


def keep(tables: Tables, name: str, entry: Entry, refused: Sequence[Refused], now: Micros) -> None:
    """Adds a batch's refused rows; does nothing where that was done before.

    They are committed before the table's own rows are, under a number that is not decided yet: :func:`settle` removes
    those of a batch that was never committed.
    """
    if not refused:
        return
    frame = pl.DataFrame(
        {
            "_number": entry.number,
            "_batch": entry.batch,
            "_origin": entry.origin,
            "_line": [row.line for row in refused],
            "_rules": _lists([row.rules for row in refused]),
            "_reasons": _lists([row.reasons for row in refused]),
            "_row": [row.row for row in refused],
            "_ingested_at": pl.Series([now]).new_from_index(0, len(refused)),
            "_prepared": [row.prepared for row in refused],
        },
        schema_overrides=SCHEMA,
    )
    note = {"number": str(entry.number)}
    tables.append(table_name(name), frame, transaction=(f"batch/{entry.batch}", 1), note=note)


def withdraw_overtaken(tables: Tables, name: str, version: int) -> None:
    """Removes rows that were kept by whoever was overtaken by another process, and died before it could take them back.

    Two processes that read a place which does not give the same rows in the same order make different batches under one
    number; only one of them is committed. Safe to do again.

    Args:
        tables: Where table and quarantine are.
        name: The table.
        version: Its present version.
    """
    quarantine = table_name(name)
    if tables.version(quarantine) is None:
        return
    number = entry_at(tables, name, version).number
    recent = tables.scan(quarantine).filter(pl.col("_number").is_between(number - _LOOKED_BACK, number))
    pairs = set(recent.select("_number", "_batch").unique().collect().iter_rows())
    for at, batch in sorted(_overtaken(tables, name, number, pairs)):
        tables.delete(quarantine, f"_number = {at} AND _batch = '{batch}'")


def _overtaken(tables: Tables, name: str, number: int, pairs: set[tuple[int, Digest]]) -> set[tuple[int, Digest]]:
    """Those of some batches, by number and digest, in whose place another one was committed."""
    pairs = {(at, batch) for at, batch in pairs if number - _LOOKED_BACK <= at <= number}
    version = tables.version(name) if pairs else None
    committed: dict[int, Digest] = {}
    while version is not None and len(committed) < _LOOKED_BACK and tables.has(name, version):  # others may be erased
        entry = entry_at(tables, name, version)
        committed.setdefault(entry.number, entry.batch)
        version -= 1
    return {(at, batch) for at, batch in pairs if committed.get(at, batch) != batch}


def settle(tables: Tables, name: str, entry: Entry) -> None:
    """Removes what the table's last entry puts out of date; safe to do again.

    That is: rows kept under its number by a process that was killed, or overtaken, before it could commit; rows of the
    same file from before it was mended; everything from before the source was declared anew; rows that
    were brought back.
    """
    quarantine = table_name(name)
    version = tables.version(quarantine)
    if version is None:
        return
    number = pl.col("_number")
    stale = pl.lit(value=False)
    sql = []
    if tables.note(quarantine, version).get("number") == str(entry.number):
        stale |= (number == entry.number) & (pl.col("_batch") != entry.batch)
        sql.append(f"(_number = {entry.number} AND _batch <> '{entry.batch}')")
    if entry.number == entry.first:
        stale |= number < entry.first
        sql.append(f"(_number < {entry.first})")
    if entry.again:
        stale |= (number < entry.number) & (pl.col("_origin") == entry.origin)
        sql.append(f"(_number < {entry.number} AND _origin = {_quoted(entry.origin)})")
    if entry.readmitted:
        remove(tables, name, entry.readmitted, before=entry.number)
    if sql and tables.scan(quarantine).filter(stale).select(pl.len()).collect().item():
        tables.delete(quarantine, " OR ".join(sql))


def name_of(number: int, row: str) -> str:
    """Names a row of the quarantine: rows of one batch that are equal go by one name."""
    return digest([number, row])[:16]


def standing(tables: Tables, name: str) -> pl.DataFrame:
    """What is in a table's quarantine, oldest first, each row by its ``_name``; no rows if nothing is.

    Whether a row was ``_prepared`` is null where it was refused before that was kept.
    """
    quarantine = table_name(name)
    if tables.version(quarantine) is None:
        return pl.DataFrame(schema={"_name": pl.String(), **SCHEMA})
    found = tables.read(quarantine)
    if "_prepared" not in found.columns:
        found = found.with_columns(_prepared=pl.lit(None, dtype=pl.Boolean))
    names = [name_of(number, row) for number, row in found.select("_number", "_row").iter_rows()]
    return found.with_columns(pl.Series("_name", names, dtype=pl.String)).sort("_number", maintain_order=True)


def remove(tables: Tables, name: str, names: Sequence[str], *, before: int) -> int:
    """Takes rows out for good; safe to do again.

    Args:
        tables: Where the quarantine is.
        name: The table.
        names: Names of the rows.
        before: Rows under this number or a later one stay, whatever their name.

    Returns:
        How many rows went.
    """
    found = standing(tables, name)
    found = found.filter(pl.col("_name").is_in(names) & (pl.col("_number") < before))
    for at in range(0, found.height, _AT_ONCE):
        some = found[at : at + _AT_ONCE]
        parts = [
            f"(_number = {number} AND _row IN ({', '.join(map(_quoted, rows))}))"
            for number, rows in some.group_by("_number", maintain_order=True).agg(pl.col("_row").unique()).iter_rows()
        ]
        tables.delete(table_name(name), " OR ".join(parts))
    return found.height


def _lists(texts: Sequence[Sequence[str]]) -> pl.Series:
    """A column of lists, none of them empty; Polars takes Python's lists one by one, which takes far longer."""
    flat = pl.Series("texts", [text for some in texts for text in some], dtype=pl.String)
    places = np.repeat(np.arange(len(texts)), [len(some) for some in texts])
    return pl.DataFrame({"place": places, "texts": flat}).group_by("place", maintain_order=True).agg("texts")["texts"]


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
