"""What a table version holds, column by column: sketches made at ingestion and kept in the catalog.

Of columns that are classed personal, sensitive or secret only counts are kept: a sketch holds some of its values.
Appended rows are merged into the profile of the version before. Where rows took the place of others the profile is made
anew from the table: a sketch can't forget a value.
"""

from __future__ import annotations

import math
from datetime import date, datetime

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import iso, micros_of
from drivetrain.core.hashing import Digest
from drivetrain.core.records import Record, TableVersion
from drivetrain.data.arrival import RESERVED
from drivetrain.data.sketches.distinct import Distinct, distinct_of_hashes, hashes
from drivetrain.data.sketches.frequent import MOST, Frequent, frequent_of
from drivetrain.data.sketches.quantiles import Floats, Quantiles, quantiles_of
from drivetrain.data.veil import OPEN, Veil
from drivetrain.store.bundle import Store

TOP = 8
"""Most frequent values told for a column of text or booleans."""
LAYOUT = 1
"""Profiles of another layout are made again."""


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column; ``low`` and ``high`` are numbers, or ISO 8601 text for times."""

    name: str
    dtype: str
    rows: int = 0
    nulls: int = 0
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    spread: float = 0.0
    """Sum of squared distances from the mean."""
    quantiles: Quantiles = Quantiles()
    """Of numbers; of times and dates too, as microseconds and days since 1970."""
    seen: Distinct = Distinct()
    frequent: Frequent = Frequent()
    """Of texts and booleans, and of whole numbers with few values."""

    @property
    def values(self) -> int:
        """How many rows have a value."""
        return self.rows - self.nulls

    @property
    def shown(self) -> bool:
        """Whether some of its values are kept here."""
        return bool(self.low is not None or self.quantiles.count or self.frequent.counts)

    @property
    def std(self) -> float | None:
        """Standard deviation of numbers; none for fewer than two."""
        count = self.quantiles.count
        return math.sqrt(self.spread / (count - 1)) if self.mean is not None and count > 1 else None

    @property
    def quartiles(self) -> tuple[float, ...]:
        """Quartiles of numbers, about."""
        return tuple(self.quantiles.at((0.25, 0.5, 0.75))) if self.mean is not None else ()

    @property
    def distinct(self) -> int | None:
        """How many different values there are, about; exact where every one of few is kept."""
        exact = self.frequent.counts and not self.frequent.missed and len(self.frequent.counts) < MOST
        return len(self.frequent.counts) if exact else round(self.seen.estimate)

    @property
    def top(self) -> tuple[tuple[str, int], ...]:
        """Most frequent values with how often, most first."""
        return tuple(self.frequent.counts.items())[:TOP]

    @property
    def counts(self) -> ColumnProfile:
        """The same without any of its values."""
        return ColumnProfile(name=self.name, dtype=self.dtype, rows=self.rows, nulls=self.nulls, seen=self.seen)

    def merge(self, other: ColumnProfile) -> ColumnProfile | None:
        """The profile of both columns' rows; none where they can't be merged."""
        seen = self.seen.merge(other.seen)
        if seen is None or self.dtype != other.dtype:
            return None
        ours, theirs = self.quantiles.count, other.quantiles.count
        mean, spread = self.mean, self.spread
        if other.mean is not None:
            gap = other.mean - (mean or 0.0)
            spread = spread + other.spread + gap**2 * ours * theirs / (ours + theirs)  # Chan, Golub and LeVeque (1979)
            mean = (mean or 0.0) + gap * theirs / (ours + theirs)
        # Whole numbers with few values in one part may have many in the other.
        countable = all(part.frequent.counts or not part.values for part in (self, other))
        return replace(
            self,
            rows=self.rows + other.rows,
            nulls=self.nulls + other.nulls,
            low=_end(min, self.low, other.low),
            high=_end(max, self.high, other.high),
            mean=mean,
            spread=spread,
            quantiles=self.quantiles.merge(other.quantiles),
            seen=seen,
            frequent=self.frequent.merge(other.frequent) if countable else Frequent(),
        )


class TableProfile(Record, frozen=True, kw_only=True):
    """Every column of one version of a table."""

    kind = "profile"

    table: str
    version: int
    rows: int
    columns: tuple[ColumnProfile, ...] = ()
    digest: Digest = ""
    """Of the table's rows: equal digest, equal profile."""
    layout: int = 0

    @property
    def key(self) -> str:
        """``table@version``."""
        return f"{self.table}@{self.version}"

    @property
    def subject(self) -> str:
        """The table's name."""
        return self.table

    def behind(self, veil: Veil) -> TableProfile:
        """The same with counts only of what must not be seen, whatever was kept before it was classed so."""
        return replace(self, columns=tuple(one.counts if veil.hides(one.name) else one for one in self.columns))


def profile(store: Store, table: str, version: int, *, at: int = 0, veil: Veil = OPEN) -> TableProfile:
    """The profile of a version: from the catalog, or made now and kept there.

    Args:
        store: Where table and catalog are.
        table: The table.
        version: Its version.
        at: The moment, for the record.
        veil: Which columns are only counted.

    Raises:
        UnknownName: There is no such table or version.
    """
    known = store.catalog.get(TableProfile, f"{table}@{version}")
    if known is None or known.layout != LAYOUT:
        rows = store.tables.scan(table, version)
        names = [name for name in rows.collect_schema().names() if name not in RESERVED]
        made = store.catalog.get(TableVersion, f"{table}@{version}")
        known = TableProfile(
            at=at,
            table=table,
            version=version,
            rows=store.tables.rows(table, version),
            # One column at a time: a table may be larger than memory.
            columns=tuple(
                column_profile(rows.select(name).collect().to_series(), counted=veil.hides(name)) for name in names
            ),
            digest=made.digest if made else "",
            layout=LAYOUT,
        )
        store.catalog.commit(known)
    return known


def newest(store: Store, table: str, digest: Digest, veil: Veil = OPEN) -> TableProfile | None:
    """The profile on record of the rows that a digest stands for, if the table's newest is that and shows no more."""
    known = next(iter(store.catalog.find(TableProfile, table, limit=1)), None)
    if known is None or known.layout != LAYOUT or known.digest != digest:
        return None
    told = any(column.shown and veil.hides(column.name) for column in known.columns)
    return None if told else known


def extended(before: tuple[ColumnProfile, ...], more: tuple[ColumnProfile, ...]) -> tuple[ColumnProfile, ...] | None:
    """The profile of a table after rows were appended; none where it must be made from the table."""
    added = {column.name: column for column in more}
    if set(added) != {column.name for column in before}:
        return None
    merged = [column.merge(added[column.name]) for column in before]
    whole = tuple(column for column in merged if column is not None)
    return whole if len(whole) == len(merged) else None


def profile_of(frame: pl.DataFrame, veil: Veil = OPEN) -> tuple[ColumnProfile, ...]:
    """The profile of a frame's columns, in order; of every row of it."""
    return tuple(column_profile(column, counted=veil.hides(column.name)) for column in frame.iter_columns())


def column_profile(column: pl.Series, *, counted: bool = False) -> ColumnProfile:
    """The profile of one column; NaN and infinities are no values of a distribution.

    Args:
        column: The column.
        counted: Whether only counts are kept, and none of its values.
    """
    made = ColumnProfile(name=column.name, dtype=str(column.dtype), rows=len(column), nulls=column.null_count())
    values = column.drop_nulls() if made.nulls else column
    if not len(values) or column.dtype.is_nested() or column.dtype == pl.Binary:
        return made
    found = hashes(values)
    seen = distinct_of_hashes(found)
    made = replace(made, seen=seen)
    if counted:
        return made
    if column.dtype.is_numeric():
        numbers = _finite(values)
        few = column.dtype.is_integer() and seen.estimate < MOST
        mean = float(numbers.mean()) if len(numbers) else None
        return replace(
            made,
            low=float(numbers.min()) if len(numbers) else None,
            high=float(numbers.max()) if len(numbers) else None,
            mean=mean,
            spread=float(np.square(numbers - mean).sum()) if mean is not None else 0.0,
            quantiles=quantiles_of(numbers),
            frequent=frequent_of(values) if few else Frequent(),
        )
    if column.dtype.is_temporal():
        physical = values.to_physical().to_numpy().astype(np.float64)
        return replace(made, low=_moment(values.min()), high=_moment(values.max()), quantiles=quantiles_of(physical))
    return replace(made, frequent=frequent_of(values, found, seen.estimate))


def _finite(values: pl.Series) -> Floats:
    numbers = values.to_numpy().astype(np.float64, copy=False)
    if not values.dtype.is_float():
        return numbers
    finite = np.isfinite(numbers)
    return numbers if finite.all() else numbers[finite]


def _end(choose: object, *ends: float | str | None) -> float | str | None:
    known = [end for end in ends if end is not None]
    return choose(known) if known and callable(choose) else None


def _moment(value: object) -> str | None:
    if isinstance(value, datetime):
        return iso(micros_of(value))
    return value.isoformat() if isinstance(value, date) else None
