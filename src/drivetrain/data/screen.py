"""From raw rows to rows that keep the contract, and those that don't."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from drivetrain.core.errors import ContractBreach, DrivetrainError, SourceError
from drivetrain.data.breach import Breach, any_of
from drivetrain.data.casting import cast
from drivetrain.data.checks import check, missing_column, require_columns
from drivetrain.data.column import DTYPES
from drivetrain.data.contract import SHARE_COUNTS_FROM, Contract
from drivetrain.data.duplicates import repeated
from drivetrain.data.privacy.treatment import Keys
from drivetrain.data.quarantine import UNREADABLE, Refused, refuse, refuse_unreadable
from drivetrain.data.reader import Batch
from drivetrain.data.source import Prepare, Source
from drivetrain.data.treating import veiled

_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'")


@dataclass(frozen=True)
class Lookups:
    """What rows are looked up in.

    Attributes:
        table: Table → rows, for ``prepare``.
        values: ``(table, column)`` → the values there, for ``references``.
        keys: Keys of columns that are treated, for what quarantine keeps of them.
    """

    table: Callable[[str], pl.DataFrame]
    values: Callable[[str, str], pl.Series]
    keys: Keys


@dataclass(frozen=True)
class Screened:
    """A batch after the contract: rows to keep, rows to set aside, and why, counted."""

    rows: pl.DataFrame
    refused: list[Refused]
    reasons: dict[str, int]


def screen(batch: Batch, source: Source, lookups: Lookups, known: Mapping[str, pl.DataType]) -> Screened:
    """Casts, prepares and checks a batch.

    Args:
        batch: Rows as read.
        source: What they must become.
        lookups: Other tables.
        known: Columns of the source's table as it stands, with their types; empty if there is none.

    Raises:
        SourceError: A column is missing, or ``prepare`` failed.
        ContractBreach: The contract refuses the whole batch.
    """
    contract = source.contract
    total = batch.rows.height + len(batch.unreadable)
    if total < contract.min_rows:
        raise ContractBreach(f"{batch.origin} has too few rows", found=total, expected=f"{contract.min_rows} or more")
    declared = {name: column.dtype for name, column in contract.columns.items()}
    moments = dict.fromkeys(filter(None, (source.time, source.available)), DTYPES["time"])
    types = {**moments, **known, **declared}
    reasons: Counter[str] = Counter()
    refused = refuse_unreadable(batch.unreadable)
    if refused:
        reasons[UNREADABLE] += len(refused)
    rows, breaches = cast(batch.rows, {**known, **declared} if source.prepare else types)
    rows = _part(batch.rows, rows, breaches, contract, (refused, reasons))
    if source.prepare:
        height = rows.height
        rows = _prepared(rows, source.prepare, source.uses, lookups, batch.origin)
        if rows.height < height:
            reasons[f"left out by {source.prepare.__name__}"] += height - rows.height
        made, breaches = cast(rows, types)
        rows = _part(rows, made, breaches, contract, (refused, reasons))
    needed = _needed(source)
    require_columns(rows, {**types, **needed}, batch.origin)
    for name in [name for name in rows.columns if known and name not in types]:
        reasons[f"column {name!r} is new and not declared: left out"] += rows.height
    checked = [name for name in contract.columns if name in rows.columns and name not in known]
    rows = rows.select([*known, *checked]) if known else rows
    rows = _part(rows, rows, check(rows, contract, needed, lookups.values), contract, (refused, reasons))
    rows, identical, contradicted = repeated(rows, source.key)
    if identical:
        reasons["the same row again: left out"] += identical
    _account(contradicted, contract, (refused, reasons))
    refused = veiled(refused, contract, lookups.keys)
    _refuse_whole(batch, contract, total, refused, reasons)
    return Screened(rows, refused, dict(reasons))


_Tally = tuple[list[Refused], Counter[str]]


def _part(
    found: pl.DataFrame, rows: pl.DataFrame, breaches: Sequence[Breach], contract: Contract, tally: _Tally
) -> pl.DataFrame:
    """Counts breaches and takes the rows out that can't stay; ``found`` are the rows as they are shown."""
    if not breaches:
        return rows
    for breach in breaches:
        tally[1][breach.rule] += breach.count
    fatal = [breach for breach in breaches if breach.hard] if contract.on_breach == "warn" else breaches
    broken = any_of(fatal, rows.height)
    tally[0].extend(refuse(found, breaches, broken))
    return rows.filter(~broken)


def _account(contradicted: tuple[pl.DataFrame, Breach] | None, contract: Contract, tally: _Tally) -> None:
    if contradicted:
        rows, breach = contradicted
        _part(rows, rows, [breach], contract, tally)


def _needed(source: Source) -> dict[str, str]:
    needed = dict.fromkeys(source.key, "a value: it is the key")
    if source.time:
        needed.setdefault(source.time, "a value: it is the event's time")
    if source.available:
        needed.setdefault(source.available, "a value: it says when the row was known")
    return needed


def _prepared(
    rows: pl.DataFrame, prepare: Prepare, uses: Sequence[Source], lookups: Lookups, origin: str
) -> pl.DataFrame:
    name = getattr(prepare, "__name__", "prepare")
    tables = {used.name: lookups.table(used.name) for used in uses}
    try:
        made: object = prepare(rows, **tables)
    except pl.exceptions.ColumnNotFoundError as error:
        quoted = [first or second for first, second in _QUOTED.findall(str(error))]
        missing = [column for column in quoted if column not in rows.columns][:1]
        if not missing:
            raise SourceError(f"{origin}: {name} failed: {error}") from error
        raise missing_column(missing, rows.columns, f"{origin}, as {name} needs it,") from None
    except DrivetrainError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise SourceError(
            f"{origin}: {name} failed with {type(error).__name__}: {reason}", do="Mend the function or the rows"
        ) from error
    if not isinstance(made, pl.DataFrame):
        raise SourceError(f"{name} must return a Polars frame", found=type(made).__name__)
    return made


def _refuse_whole(
    batch: Batch, contract: Contract, total: int, refused: Sequence[Refused], reasons: Mapping[str, int]
) -> None:
    if not refused:
        return
    worst = "; ".join(f"{reason} ({count:,})" for reason, count in Counter(reasons).most_common(5))
    example = "; ".join(refused[0].reasons)
    if contract.on_breach == "fail":
        raise ContractBreach(
            f"{batch.origin} breaks its contract in {len(refused):,} of {total:,} rows: {worst}",
            found=f"for example {example}",
            do="Mend the source; nothing of this batch was taken in",
        )
    if total >= SHARE_COUNTS_FROM and len(refused) > contract.max_quarantine_share * total:
        raise ContractBreach(
            f"{batch.origin} breaks its contract in {len(refused):,} of {total:,} rows: {worst}",
            found=f"for example {example}",
            expected=f"at most a share of {contract.max_quarantine_share:g}",
            do="Look whether the source has changed; nothing of this batch was taken in",
        )
