"""One step of cleaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import polars as pl

from drivetrain.core.errors import SourceError
from drivetrain.data.checks import missing_column


class Step(Protocol):
    """A frozen record of settings, and what it does to rows."""

    @property
    def meaning(self) -> object:
        """What decides what it does, for digests."""
        ...

    @property
    def raw(self) -> tuple[str, ...]:
        """Columns that it wants as they came, before they are brought to their declared types."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the sources whose tables it looks into."""
        ...

    def apply(self, rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, dict[str, int]]:
        """The rows after it, and what it changed: in words → how many values or rows.

        Raises:
            SourceError: A column is not there, or the tables do not fit.
        """
        ...


def require(rows: pl.DataFrame, columns: tuple[str, ...], words: str) -> None:
    """Refuses rows that lack a column.

    Raises:
        SourceError: The message names it, and what it may be called now.
    """
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise missing_column(missing, rows.columns, f"the step {words}")


def replaced(rows: pl.DataFrame, made: Mapping[str, pl.Expr], words: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows with columns made anew, and how many values of each are not what they were."""
    require(rows, tuple(made), words)
    after = rows.with_columns(expression.alias(name) for name, expression in made.items())
    changes = {}
    for name in made:
        count = int(after[name].ne_missing(rows[name]).sum())
        if count:
            changes[f"{words}: {name} changed"] = count
    return after, changes


def number(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column as numbers; text that is none is null."""
    dtype = rows.schema[name]
    if not (dtype.is_numeric() or dtype in (pl.String, pl.Null)):
        raise SourceError(f"column {name!r} holds no numbers", found=dtype)
    return pl.col(name).cast(pl.Float64, strict=False)


def written(rows: pl.DataFrame, name: str, value: pl.Expr, where: pl.Expr) -> pl.Expr:
    """``value`` where it is wanted, in the column's own type: text stays text, so that what is none is still seen."""
    dtype = rows.schema[name]
    kept = value.cast(pl.String) if dtype == pl.String else value
    return pl.when(where.fill_null(value=False)).then(kept).otherwise(pl.col(name))
