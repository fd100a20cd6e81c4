"""What a table holds already, as far as rules of new rows look at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Standing:
    """The rows that new ones come to.

    Attributes:
        key: Columns that name a row.
        rows: The rows; none where there is no table, or it is about to be made anew.
        again: Whether the new rows were read before, so that theirs may be among these.
        named: Makes of new rows what these hold in the place of values that are treated, and stay apart.
    """

    key: Sequence[str] = ()
    rows: pl.LazyFrame | None = None
    again: bool = False
    named: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows

    def taken(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """For each row of a frame, whether a row of another key has its value: one before it there, or one of these."""
        places = []
        repeated = frame[name].is_duplicated() & frame[name].is_not_null()
        if repeated.any():
            some = frame.with_row_index("_place").filter(repeated)
            places.append(self._after_another(some, name))
        if self.rows is not None and name in self.rows.collect_schema():
            looked_up = self.named(frame.select(*dict.fromkeys([name, *self.key])))
            places.append(self._beside_others(looked_up, name, self.rows))
        broken = np.zeros(frame.height, np.bool_)
        for found in places:
            broken[found.to_numpy()] = True
        return pl.Series(name, broken)

    def with_rows(self, rows: pl.DataFrame, gone: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of these rows and new ones, where new ones and keys that are gone take the place of others."""
        there = [name for name in columns if name in rows.columns]
        if self.rows is None:
            return rows.select(there)
        over = pl.concat([frame.select(self.key) for frame in (rows, gone) if frame.height] or [rows.select(self.key)])
        standing = self.rows.join(over.lazy(), on=list(self.key), how="anti").select(there).collect()
        return pl.concat([standing, rows.select(there)], how="vertical_relaxed")

    def lesser(self, name: str) -> pl.Expr:
        """Whether a value is less than one before it, or than the greatest of these rows."""
        before = pl.col(name).cum_max().forward_fill().shift(1)
        if self.rows is not None and not self.again and name in self.rows.collect_schema():
            last = self.rows.select(pl.col(name).max()).collect().to_series()
            before = pl.max_horizontal(before, pl.lit(last.item(), dtype=last.dtype))
        return pl.col(name) < before

    def _after_another(self, some: pl.DataFrame, name: str) -> pl.Series:
        if not self.key:
            return some.filter(~pl.col(name).is_first_distinct())["_place"]
        key = pl.struct(self.key)
        return some.filter(key.ne_missing(key.first().over(name)))["_place"]

    def _beside_others(self, frame: pl.DataFrame, name: str, rows: pl.LazyFrame) -> pl.Series:
        values = frame.lazy().select(name).drop_nulls()
        there = rows.select(name, *(pl.col(key).alias(f"_{key}") for key in self.key))
        found = there.join(values, on=name, how="semi").collect()
        another = [pl.col(key).ne_missing(pl.col(f"_{key}")) for key in self.key if key != name]
        numbered = frame.with_row_index("_place").select("_place", *dict.fromkeys([name, *self.key]))
        return numbered.join(found, on=name).filter(pl.any_horizontal(another or pl.lit(value=False)))["_place"]


NOTHING = Standing()
"""No table, and no key."""
