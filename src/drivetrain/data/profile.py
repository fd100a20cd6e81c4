"""What a table version holds, column by column: made when somebody looks, kept in the catalog."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import iso, micros_of
from drivetrain.core.records import Record
from drivetrain.data.arrival import RESERVED
from drivetrain.store.bundle import Store

TOP = 8
"""Most frequent values kept for a column of text or booleans."""


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column; ``low`` and ``high`` are numbers, or ISO 8601 text for times."""

    name: str
    dtype: str
    nulls: int = 0
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    std: float | None = None
    quartiles: tuple[float, ...] = ()
    distinct: int | None = None
    top: tuple[tuple[str, int], ...] = ()
    """Most frequent values with how often, most first."""


class TableProfile(Record, frozen=True, kw_only=True):
    """Every column of one version of a table."""

    kind = "profile"

    table: str
    version: int
    rows: int
    columns: tuple[ColumnProfile, ...] = ()

    @property
    def key(self) -> str:
        """``table@version``."""
        return f"{self.table}@{self.version}"

    @property
    def subject(self) -> str:
        """The table's name."""
        return self.table


def profile(store: Store, table: str, version: int, *, at: int = 0) -> TableProfile:
    """The profile of a version: from the catalog, or made now and kept there.

    Args:
        store: Where table and catalog are.
        table: The table.
        version: Its version.
        at: The moment, for the record.

    Raises:
        UnknownName: There is no such table or version.
    """
    known = store.catalog.get(TableProfile, f"{table}@{version}")
    if known is None:
        columns = profile_of(store.tables.read(table, version).drop(RESERVED, strict=False))
        rows = store.tables.rows(table, version)
        known = TableProfile(at=at, table=table, version=version, rows=rows, columns=columns)
        store.catalog.commit(known)
    return known


def profile_of(frame: pl.DataFrame) -> tuple[ColumnProfile, ...]:
    """The profile of a frame's columns, in order."""
    return tuple(_column(column) for column in frame.iter_columns())


def _column(column: pl.Series) -> ColumnProfile:
    made = ColumnProfile(name=column.name, dtype=str(column.dtype), nulls=column.null_count())
    values = column.drop_nulls()
    if not len(values) or column.dtype.is_nested() or column.dtype == pl.Binary:
        return made
    if column.dtype.is_numeric():
        numbers = values.cast(pl.Float64)
        numbers = numbers.filter(numbers.is_finite())
        quartiles = tuple(value for part in (0.25, 0.5, 0.75) if (value := numbers.quantile(part)) is not None)
        mean, std = _number(numbers.mean()), _number(numbers.std())
        low, high = _number(numbers.min()), _number(numbers.max())
        return replace(made, low=low, high=high, mean=mean, std=std, quartiles=quartiles)
    if column.dtype.is_temporal():
        return replace(made, low=_moment(values.min()), high=_moment(values.max()))
    text = values.cast(pl.String)
    counts = text.value_counts(name="_count").sort(["_count", column.name], descending=[True, False])
    return replace(made, distinct=counts.height, top=tuple(counts.head(TOP).iter_rows()))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _moment(value: object) -> str | None:
    if isinstance(value, datetime):
        return iso(micros_of(value))
    return value.isoformat() if isinstance(value, date) else None
