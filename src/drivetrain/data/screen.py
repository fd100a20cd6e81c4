"""From raw rows to rows that keep the contract, and those that don't."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from drivetrain.core.errors import ContractBreach, DrivetrainError, SourceError
from drivetrain.data.breach import Breach, any_of
from drivetrain.data.casting import cast
from drivetrain.data.checks import check, missing_column, require_columns
from drivetrain.data.column import DTYPES
from drivetrain.data.contract import SHARE_COUNTS_FROM, Contract
from drivetrain.data.duplicates import repeated
from drivetrain.data.quarantine import UNREADABLE, Refused, refuse, refuse_unreadable
from drivetrain.data.reader import Batch
from drivetrain.data.shape import ShapeChange, shape_change, shape_of
from drivetrain.data.source import Prepare, Source, Steps
from drivetrain.data.standing import NOTHING, Standing
from drivetrain.data.tombstones import buried
from drivetrain.data.treating import veiled
from drivetrain.data.treatment import Keys
from drivetrain.data.veil import veil_of

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
class Before:
    """What a batch comes to.

    Attributes:
        columns: Columns of the source's table as it stands, with their types; empty if there is none.
        standing: Its rows.
        shape: Column → type of the delivery before.
    """

    columns: Mapping[str, pl.DataType] = field(default_factory=dict)
    standing: Standing = NOTHING
    shape: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Screened:
    """A batch after the contract: rows to keep, rows to set aside, and why, counted."""

    rows: pl.DataFrame
    refused: list[Refused]
    reasons: dict[str, int]
    shape: dict[str, str] = field(default_factory=dict)
    change: ShapeChange = field(default_factory=ShapeChange)
    gone: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Keys of rows that were deleted where they came from."""


def screen(batch: Batch, source: Source, lookups: Lookups, before: Before) -> Screened:
    """Casts, prepares and checks a batch.

    Args:
        batch: Rows as read.
        source: What they must become.
        lookups: Other tables.
        before: The table as it stands, and the delivery before.

    Raises:
        SourceError: A column is missing, or ``prepare`` failed.
        ContractBreach: The contract refuses the whole batch.
    """
    contract = source.contract
    total = batch.rows.height + len(batch.unreadable)
    delivered = batch.before + total
    if delivered < contract.min_rows and not batch.more and not batch.readmitted:
        raise ContractBreach(
            f"{batch.origin} has too few rows", found=delivered, expected=f"{contract.min_rows} or more"
        )
    known = before.columns
    declared = {name: column.dtype for name, column in contract.columns.items()}
    moments = dict.fromkeys(filter(None, (source.time, source.available)), DTYPES["time"])
    types = {**moments, **known, **declared}
    needed = _needed(source)
    reasons: Counter[str] = Counter()
    refused = refuse_unreadable(batch.unreadable)
    if refused:
        reasons[UNREADABLE] += len(refused)
    prepare = None if batch.prepared else source.prepare
    raw = _renamed(batch.rows, contract)
    shape = {} if batch.readmitted or not raw.height else shape_of(raw)
    change = shape_change(before.shape, shape)
    _heed(change, contract, batch.origin, reasons, raw.height)
    rows, breaches = cast(raw, _before_prepare({**known, **declared}, prepare) if prepare else types)
    rows = _part(raw, rows, breaches, contract, (refused, reasons), prepared=batch.prepared)
    if prepare:
        height = rows.height
        rows = _without_loss(rows, dict.fromkeys(change.lost, pl.Null()) | declared, contract, change.lost)
        rows, changes = _prepared(rows, prepare, source.uses, lookups, batch.origin)
        reasons.update(changes)
        if rows.height < height and not isinstance(prepare, Steps):
            reasons[f"left out by {prepare.__name__}"] += height - rows.height
        made, breaches = cast(rows, types)
        rows = _part(rows, made, breaches, contract, (refused, reasons), prepared=True)
    absent = [name for name in types if name not in rows.columns and name not in needed]
    rows = _without_loss(rows, types, contract, absent)
    rows = _of_before(batch, rows, {name: kind for name, kind in known.items() if name not in {*declared, *needed}})
    require_columns(rows, {**types, **needed}, batch.origin)
    rows = _of_table(rows, known, types, contract, reasons)
    gone = pl.DataFrame()
    if source.deleted:
        rows, gone = buried(rows, source.deleted, source.key, batch.origin)
    broken = check(rows, contract, needed, lookups.values, before.standing)
    rows = _part(rows, rows, broken, contract, (refused, reasons), prepared=True)
    rows, identical, contradicted = repeated(rows, source.key)
    if identical:
        reasons["the same row again: left out"] += identical
    _account(contradicted, contract, (refused, reasons))
    refused = veiled(refused, contract, lookups.keys)
    if not batch.readmitted:
        _refuse_whole(batch, source, total, refused, reasons)
    if contract.on_lost_column == "null":
        shape = {**change.lost, **shape}
    return Screened(rows, refused, dict(reasons), shape, change, gone)


def _before_prepare(types: Mapping[str, pl.DataType], prepare: Prepare) -> dict[str, pl.DataType]:
    """Types that columns are given before ``prepare``; declared steps say which they want as they came."""
    raw = prepare.raw if isinstance(prepare, Steps) else frozenset()
    return {name: dtype for name, dtype in types.items() if name not in raw}


def _of_table(
    rows: pl.DataFrame,
    known: Mapping[str, pl.DataType],
    types: Mapping[str, pl.DataType],
    contract: Contract,
    reasons: Counter[str],
) -> pl.DataFrame:
    """The columns that the table has or will have, and those that are checked before they are dropped."""
    if not known:
        return rows
    new = [name for name in rows.columns if name not in types]
    done = "added" if contract.on_new_column == "add" else "left out"
    for name in new:
        reasons[f"column {name!r} is new and not declared: {done}"] += rows.height
    checked = [name for name in contract.columns if name in rows.columns and name not in known]
    return rows.select([*known, *checked, *(new if contract.on_new_column == "add" else ())])


def _renamed(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    found = {new: old for new, old in contract.renamed.items() if new in rows.columns and old not in rows.columns}
    return rows.rename(found) if found else rows


def _heed(change: ShapeChange, contract: Contract, origin: str, reasons: Counter[str], height: int) -> None:
    """Does what the contract says about a change of shape, as far as it refuses or only counts."""
    undeclared = [name for name in change.new if name not in contract.columns]
    if (undeclared and contract.on_new_column == "fail") or (change.retyped and contract.on_retyped_column == "fail"):
        raise ContractBreach(
            f"{origin} has other columns than before",
            found="; ".join(change.lines()),
            do="Mend the source or the contract; nothing of this batch was taken in",
        )
    for name, (old, new) in change.retyped.items():
        reasons[f"column {name!r} came as {new}, and was {old} before"] += height
    for name in change.lost if contract.on_lost_column == "null" else ():
        reasons[f"column {name!r} does not come any more: left empty"] += height


def _without_loss(
    rows: pl.DataFrame, types: Mapping[str, pl.DataType], contract: Contract, lost: Iterable[str]
) -> pl.DataFrame:
    """The rows with empty columns for those that are lost, where the contract goes on without them."""
    if contract.on_lost_column != "null":
        return rows
    return rows.with_columns(pl.lit(None, dtype=types[name]).alias(name) for name in lost if name not in rows.columns)


def _of_before(batch: Batch, rows: pl.DataFrame, added: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Rows that are brought back, with nothing in columns that the table did not have when they were set aside."""
    lacking = {name: kind for name, kind in added.items() if batch.readmitted and name not in rows.columns}
    return rows.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in lacking.items())


_Tally = tuple[list[Refused], Counter[str]]


def _part(
    found: pl.DataFrame,
    rows: pl.DataFrame,
    breaches: Sequence[Breach],
    contract: Contract,
    tally: _Tally,
    *,
    prepared: bool,
) -> pl.DataFrame:
    """Counts breaches and takes the rows out that can't stay; ``found`` are the rows as they are shown."""
    if not breaches:
        return rows
    for breach in breaches:
        tally[1][breach.rule] += breach.count
    fatal = [breach for breach in breaches if breach.hard] if contract.on_breach == "warn" else breaches
    broken = any_of(fatal, rows.height)
    tally[0].extend(refuse(found, breaches, broken, prepared=prepared))
    return rows.filter(~broken)


def _account(contradicted: tuple[pl.DataFrame, Breach] | None, contract: Contract, tally: _Tally) -> None:
    if contradicted:
        rows, breach = contradicted
        _part(rows, rows, [breach], contract, tally, prepared=True)


def _needed(source: Source) -> dict[str, str]:
    needed = dict.fromkeys(source.key, "a value: it is the key")
    if source.time:
        needed.setdefault(source.time, "a value: it is the event's time")
    if source.available:
        needed.setdefault(source.available, "a value: it says when the row was known")
    return needed


def _prepared(
    rows: pl.DataFrame, prepare: Prepare, uses: Sequence[Source], lookups: Lookups, origin: str
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows as ``prepare`` makes them, and what it says that it changed."""
    name = getattr(prepare, "__name__", "prepare")
    tables = {used.name: lookups.table(used.name) for used in uses}
    try:
        made, changes = prepare.apply(rows, tables) if isinstance(prepare, Steps) else (prepare(rows, **tables), {})
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
    return made, changes


def _refuse_whole(
    batch: Batch, source: Source, total: int, refused: Sequence[Refused], reasons: Mapping[str, int]
) -> None:
    if not refused:
        return
    contract = source.contract
    worst = "; ".join(f"{reason} ({count:,})" for reason, count in Counter(reasons).most_common(5))
    # Errors are printed, and kept where nothing forgets them.
    example = "; ".join(map(veil_of(source).reason, refused[0].reasons))
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
