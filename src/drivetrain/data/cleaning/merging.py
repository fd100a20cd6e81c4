"""Steps that bring columns of another source's table to the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import SourceError
from drivetrain.data.casting import cast
from drivetrain.data.cleaning.step import require
from drivetrain.data.column import DTYPES
from drivetrain.data.source import Source


@dataclass(frozen=True)
class Merge:
    """Columns of the row with the same keys; of several over time, the newest that was known at a moment."""

    source: Source
    on: tuple[tuple[str, str], ...]
    """Column here, column there."""
    columns: tuple[tuple[str, str], ...]
    """Column there, name here."""
    as_of: str | None
    tolerance: Micros | None

    @property
    def meaning(self) -> object:
        """All settings; what the table holds is its own version's business."""
        return [self.source.name, self.on, self.columns, self.as_of, self.tolerance]

    @property
    def raw(self) -> tuple[str, ...]:
        """None: values are wanted with their types."""
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The source."""
        return (self.source.name,)

    def apply(self, rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, dict[str, int]]:
        """As of :class:`~drivetrain.data.cleaning.step.Step`: rows out equal rows in, in the same order."""
        words = f"merge with {self.source.name}"
        if self.source.name not in tables:
            raise SourceError(f"the {words} needs its table", do=f"Declare it: uses=[{self.source.name}]")
        here = tuple(name for name, _ in self.on)
        require(rows, here if self.as_of is None else (*here, self.as_of), words)
        require(
            tables[self.source.name], tuple(there for _, there in (*self.on, *self._needed)), f"{words}, its table,"
        )
        other = tables[self.source.name].select(
            *(pl.col(there).alias(f"_on {name}") for name, there in self.on),
            *(pl.col(there).alias(name) for there, name in self.columns),
            *self._times,
            pl.lit(value=True).alias("_met"),
        )
        clash = [name for _, name in self.columns if name in rows.columns]
        if clash:
            raise SourceError(f"the {words} gives a column that is there already", found=", ".join(clash))
        made = self._joined(rows, other)
        missed = int(made["_met"].is_null().sum())
        told = {f"{words}: rows without a match": missed} if missed else {}
        return made.select(*rows.columns, *(name for _, name in self.columns)), told

    @property
    def _needed(self) -> list[tuple[str, str]]:
        times = [self.source.time, self.source.available] if self.as_of is not None else []
        return [("", there) for there in (*(there for there, _ in self.columns), *filter(None, times))]

    @property
    def _times(self) -> list[pl.Expr]:
        if self.as_of is None or self.source.time is None:
            return []
        event = pl.col(self.source.time)
        known = pl.col(self.source.available or self.source.time) + pl.duration(microseconds=self.source.delay)
        return [event.alias("_event"), pl.max_horizontal(event, known).alias("_known")]

    def _joined(self, rows: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        left = [name for name, _ in self.on]
        right = [f"_on {name}" for name in left]
        if self.as_of is None:
            if other.select(right).is_duplicated().any():
                raise SourceError(
                    f"the merge with {self.source.name} finds several rows for one key",
                    expected="one row for each " + ", ".join(there for _, there in self.on),
                    do="Merge as of a time, or by the whole key",
                )
            return rows.join(other, left_on=left, right_on=right, how="left", maintain_order="left")
        moments, _ = cast(rows.select(self.as_of), {self.as_of: DTYPES["time"]})
        numbered = rows.with_row_index("_place").with_columns(moments[self.as_of].alias("_at"))
        # What became known later but happened earlier is no news: only the newest event so far counts.
        news = other.sort("_known", "_event").filter(pl.col("_event") >= pl.col("_event").cum_max().over(right))
        found = (
            numbered.filter(pl.col("_at").is_not_null())
            .sort("_at")
            .join_asof(
                news,
                left_on="_at",
                right_on="_known",
                by_left=left,
                by_right=right,
                strategy="backward",
                check_sortedness=False,
            )
        )
        if self.tolerance is not None:
            fresh = pl.col("_at") - pl.col("_event") <= pl.duration(microseconds=self.tolerance)
            names = [name for _, name in self.columns]
            found = found.with_columns(pl.when(fresh).then(pl.col(name)).alias(name) for name in (*names, "_met"))
        missing = numbered.filter(pl.col("_at").is_null())
        return pl.concat([found, missing], how="diagonal").sort("_place")
