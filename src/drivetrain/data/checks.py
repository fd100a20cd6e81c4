"""A contract as one pass of row masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from drivetrain.core.errors import SourceError
from drivetrain.data.breach import Breach, show
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.shape import alike
from drivetrain.data.standing import NOTHING, Standing

Lookup = Callable[[str, str], pl.Series]
"""(table, column) → the values that are there."""


@dataclass(frozen=True)
class _Rule:
    subject: str
    expected: str
    broken: pl.Expr
    """True where a row breaks it; null counts as kept."""
    found: tuple[str, ...]
    hard: bool = False


def check(
    frame: pl.DataFrame,
    contract: Contract,
    required: Mapping[str, str],
    lookup: Lookup,
    standing: Standing = NOTHING,
) -> list[Breach]:
    """Every rule of a contract against every row.

    Args:
        frame: Rows with their columns cast.
        contract: What they must be.
        required: Column → why a row without it can't be kept.
        lookup: Gives the values that ``references`` point at.
        standing: The rows that are in the table already.

    Returns:
        The rules that some row breaks, with those rows.
    """
    rules = list(_rules(contract, required, (lookup, standing), frame))
    if not rules or not frame.height:
        return []
    masks = frame.select(rule.broken.fill_null(value=False).alias(str(at)) for at, rule in enumerate(rules))
    counts = masks.sum().row(0)
    return [
        Breach(rule.subject, rule.expected, masks[str(at)], _values(frame, rule.found), rule.hard)
        for at, rule in enumerate(rules)
        if counts[at]
    ]


def require_columns(frame: pl.DataFrame, wanted: Mapping[str, object], origin: str) -> None:
    """Refuses a frame that lacks a column.

    Raises:
        SourceError: The message names what is missing, and what it may be called now.
    """
    missing = [name for name in wanted if name not in frame.columns]
    if not missing:
        return
    raise missing_column(missing, [name for name in frame.columns if name not in wanted], origin)


def missing_column(missing: list[str], others: list[str], origin: str) -> SourceError:
    """The error for columns that are not there; ``others`` are those it might have become."""
    hints = [
        f"{' or '.join(map(repr, names))} may be {name!r} renamed" for name, names in alike(missing, others).items()
    ]
    word = "column" if len(missing) == 1 else "columns"
    return SourceError(
        f"{origin} lacks the {word} {', '.join(map(repr, missing))}",
        found=f"{', '.join(others) or 'no others'} beside the expected ones",
        do=f"{'; '.join(hints)}: mend the source or the contract" if hints else "Mend the source or the contract",
    )


def _rules(
    contract: Contract, required: Mapping[str, str], known: tuple[Lookup, Standing], frame: pl.DataFrame
) -> Iterator[_Rule]:
    lookup, standing = known
    for name, why in required.items():
        yield _Rule(name, why, pl.col(name).is_null(), (name,), hard=True)
    for name, column in contract.columns.items():
        if not column.nullable and name not in required:
            yield _Rule(name, "a value", pl.col(name).is_null(), (name,))
        named = standing.named(frame.select(name))[name] if column.references and column.treat else None
        for expected, broken in _column_rules(name, column, lookup, named):
            yield _Rule(name, expected, broken, (name,))
        if column.unique:
            yield _Rule(name, "a value that no other row has", pl.lit(standing.taken(frame, name)), (name,))
        if column.increasing:
            yield _Rule(name, "no less than the one before", standing.lesser(name), (name,))
    for says, expression in contract.checks.items():
        used = tuple(dict.fromkeys(expression.meta.root_names()))
        absent = [name for name in used if name not in frame.columns]
        if absent:
            raise missing_column(absent, frame.columns, f"the check {says!r}")
        yield _Rule(says, "", ~expression, used)


def _column_rules(
    name: str, column: Column, lookup: Lookup, named: pl.Series | None = None
) -> Iterator[tuple[str, pl.Expr]]:
    value = pl.col(name)
    if column.type == "float":
        yield "a finite number", value.is_infinite()
    if column.low is not None:
        yield f"at least {column.low}", value < column.bound(column.low)
    if column.high is not None:
        yield f"at most {column.high}", value > column.bound(column.high)
    if column.among:
        shown = ", ".join(show(one) for one in column.among[:12]) + (", …" if len(column.among) > 12 else "")
        yield f"one of {shown}", ~value.is_in(list(column.among))
    if column.pattern is not None:
        yield f"text like {column.pattern}", ~value.str.contains(column.pattern)
    if column.references is not None:
        table, there = column.references
        found = lookup(table, there)
        # The table may have the value, or the pseudonym that both columns are treated to.
        known = pl.lit(found.cast(column.dtype, strict=named is None).implode())
        there_named = (
            pl.lit(value=False) if named is None else pl.lit(named).is_in(pl.lit(found.cast(pl.String).implode()))
        )
        yield f"a {there} of table {table}", value.is_not_null() & ~value.is_in(known) & ~there_named


def _values(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.Series:
    if len(names) == 1:
        return frame[names[0]]
    return frame.select(pl.struct(names)).to_series() if names else pl.Series([None] * frame.height)
