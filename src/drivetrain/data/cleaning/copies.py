"""Steps that leave rows out which say what another one says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from drivetrain.core.clock import Micros, show_duration
from drivetrain.data.cleaning.step import require


@dataclass(frozen=True)
class Dedupe:
    """Of rows that agree in some columns and lie close in time, one stays."""

    by: tuple[str, ...]
    time: str | None
    within: Micros
    keep: Literal["first", "last"]
    near: bool
    digits: int

    @property
    def meaning(self) -> object:
        """All settings."""
        return [self.by, self.time, self.within, self.keep, self.near, self.digits]

    @property
    def raw(self) -> tuple[str, ...]:
        """None: values are wanted with their types."""
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        """None."""
        return ()

    def apply(
        self,
        rows: pl.DataFrame,
        tables: Mapping[str, pl.DataFrame],  # noqa: ARG002 - of Step
    ) -> tuple[pl.DataFrame, dict[str, int]]:
        """As of :class:`~drivetrain.data.cleaning.step.Step`.

        A row that lacks one of the values, or the time, is like no other. In a run of rows, each of which lies within
        the window after the one that was kept, one stays; the next row begins a new run.
        """
        words = "near duplicates" if self.near else "duplicates"
        require(rows, self.by if self.time is None else (*self.by, self.time), words)
        keys = [(self._alike(rows, name) if self.near else pl.col(name)).alias(f"_{name}") for name in self.by]
        time = pl.lit(0) if self.time is None else self._moment(rows).alias("_time")
        found = rows.select(*keys, time.alias("_time")).with_row_index("_place").drop_nulls()
        found = found.sort("_time", "_place", descending=self.keep == "last")
        gone: list[int] = []
        names = [f"_{name}" for name in self.by]
        shared = found.filter(pl.struct(names).is_duplicated())
        if self.time is None:
            kept_places = shared.unique(names, keep="first", maintain_order=True)["_place"]
            gone = shared.filter(~pl.col("_place").is_in(kept_places.implode()))["_place"].to_list()
            shared = shared.clear()
        for group in shared.partition_by(names, maintain_order=True):
            kept: int | None = None
            for place, at in group.select("_place", "_time").iter_rows():
                if kept is not None and abs(at - kept) <= self.within:
                    gone.append(place)
                else:
                    kept = at
        left = rows.with_row_index("_place").filter(~pl.col("_place").is_in(gone)).drop("_place") if gone else rows
        window = f" within {show_duration(self.within)}" if self.time is not None else ""
        told = {f"{words} by {', '.join(self.by)}{window}: left out": len(gone)} if gone else {}
        return left, told

    def _moment(self, rows: pl.DataFrame) -> pl.Expr:
        value = pl.col(str(self.time))
        if rows.schema[str(self.time)] == pl.String:
            value = value.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
        return value.cast(pl.Datetime("us")).cast(pl.Int64)

    def _alike(self, rows: pl.DataFrame, name: str) -> pl.Expr:
        """What is left of a value when how it is written is taken away."""
        dtype = rows.schema[name]
        if dtype == pl.String:
            bare = pl.col(name).str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
            return bare.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
        return pl.col(name).round(self.digits) if dtype.is_float() else pl.col(name)
