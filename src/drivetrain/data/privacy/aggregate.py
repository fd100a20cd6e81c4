"""Figures of a table with noise, so that they say little of any one subject: differential privacy.

Source: C. Dwork and A. Roth, "The algorithmic foundations of differential privacy", 2014. Sums are made of whole
numbers on a grid, because sums of floats tell more than the theory says (S. Casacuberta et al., "Widespread
underestimation of sensitivity in differentially private libraries", 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec
import polars as pl

from drivetrain.core.errors import UsageError
from drivetrain.core.protocols import Noise

What: TypeAlias = Literal["count", "sum", "mean", "histogram"]
OTHER = "other"
_GRID = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A figure that is asked for.

    Attributes:
        what: Which.
        column: Of what; rows are counted where none is given.
        low: Least value that counts as itself: lesser ones count as this one. Not to be read off the rows.
        high: Greatest value, likewise.
        edges: Bounds between a histogram's bins; not to be read off the rows.
        among: A histogram's values, for text; others are counted together.
        per: Column that says whose row it is. Where none is given each row is taken for another subject: of who has
            several, as many times as much is told.
        most: How many rows of a subject count at most; others of theirs are left out.
        epsilon: What the figure may tell of a subject.
        delta: Probability with which it may tell more; 0 for Laplace noise, else Gaussian.

    Raises:
        UsageError: It can't be asked.
    """

    what: What
    column: str | None = None
    low: float | None = None
    high: float | None = None
    edges: tuple[float, ...] = ()
    among: tuple[str, ...] = ()
    per: str | None = None
    most: int = 1
    epsilon: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.epsilon < math.inf and 0 <= self.delta < 1):
            raise UsageError(
                "a private figure needs an epsilon above 0, and a delta from 0 to below 1",
                found=f"epsilon {self.epsilon}, delta {self.delta}",
            )
        if self.what != "count" and self.column is None:
            raise UsageError(f"a {self.what} is of a column")
        if self.what in {"sum", "mean"} and (self.low is None or self.high is None or not self.low < self.high):
            raise UsageError(
                f"a private {self.what} needs bounds that are known beforehand",
                found=f"low {self.low}, high {self.high}",
                do="Give --low and --high: values beyond count as these; don't read them off the rows",
            )
        if self.what == "histogram" and bool(self.among) == (len(self.edges) >= 2):
            raise UsageError("a histogram needs edges of two or more, rising, or values", do="--edges 0,10,20")
        if list(self.edges) != sorted(set(self.edges)) or self.most < 1:
            raise UsageError("edges must rise, and one row or more of each subject must count")
        bounds = [bound for bound in (self.low, self.high, *self.edges) if bound is not None]
        if not all(map(math.isfinite, bounds)) or len(set(self.among)) < len(self.among):
            raise UsageError(
                "bounds and edges are finite numbers, and a histogram's values differ",
                found=", ".join(map(str, [*bounds, *self.among])),
            )

    @property
    def reads(self) -> list[str]:
        """Columns that are looked at."""
        return [name for name in dict.fromkeys((self.column, self.per)) if name]


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with noise.

    Attributes:
        what: Which.
        column: Of what.
        labels: What each of the values is of; one for all but a histogram.
        values: The figures.
        lower: What the figure without noise is no less than, each with a probability of 95 % or more.
        upper: What it is no more than, likewise.
        epsilon: What was spent on it.
        delta: The same.
        left_out: Why rows may be missing from it, in words; empty if none can be.
        per: Column that says whose rows they are; none where each was taken for another subject.
    """

    what: What
    column: str | None
    labels: tuple[str, ...]
    values: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    epsilon: float
    delta: float
    left_out: str = ""
    per: str | None = None


def aggregate(rows: pl.DataFrame, ask: Ask, noise: Noise) -> Aggregate:
    """A figure of rows, with noise.

    Args:
        rows: The rows, with the columns that are looked at.
        ask: What is asked.
        noise: What adds noise.

    Raises:
        UsageError: The column is not of the kind that is asked for.
    """
    if ask.column is not None:
        rows = rows.filter(pl.col(ask.column).is_not_null())
        if ask.what in {"sum", "mean"} or ask.edges:
            if not rows.schema[ask.column].is_numeric():
                raise UsageError(f"a {ask.what} is of numbers", found=f"{ask.column} of {rows.schema[ask.column]}")
            rows = rows.filter(pl.col(ask.column).cast(pl.Float64).is_finite())
    if ask.per is not None:
        rows = rows.filter(pl.col(ask.per).is_not_null())
        # Which rows stay must not depend on those of others.
        rows = rows.filter(pl.int_range(pl.len()).over(ask.per) < ask.most)
    if ask.what == "mean":
        return _mean(rows, ask, noise)
    if ask.what == "histogram":
        return _histogram(rows, ask, noise)
    return _total(rows, ask, noise)


def _total(rows: pl.DataFrame, ask: Ask, noise: Noise) -> Aggregate:
    grid, reach, total = 1.0, 1, rows.height
    if ask.what == "sum":
        grid, reach, total = _on_grid(rows, ask, 0.0)
    made = noise([total], reach=reach * ask.most, epsilon=ask.epsilon, delta=ask.delta)
    value = made.values[0] * grid
    # Nobody counts less than no rows.
    least = 0.0 if ask.what == "count" else -math.inf
    lower, upper = (max(value + side * made.sure * grid, least) for side in (-1, 1))
    return _told(ask, [max(value, least)], [lower], [upper])


def _mean(rows: pl.DataFrame, ask: Ask, noise: Noise) -> Aggregate:
    """A sum around the middle of the bounds, over a count; each is given half of what may be spent."""
    assert ask.low is not None, "it was checked"
    assert ask.high is not None, "it was checked"
    middle = (ask.low + ask.high) / 2
    grid, reach, total = _on_grid(rows, ask, middle)
    half = {"epsilon": ask.epsilon / 2, "delta": ask.delta / 2}
    sums = noise([total], reach=reach * ask.most, **half)
    counts = noise([rows.height], reach=ask.most, **half)
    # Both together are to hold with 95 %: each may then fail half as often. A tail of Laplace's falls as ln 2 a half.
    wide = 1.24
    count, off = max(counts.values[0], 1), sums.sure * wide * grid
    fewest, most = max(count - counts.sure * wide, 1.0), count + counts.sure * wide
    around = sums.values[0] * grid
    ends = [(around + side) / rows for side in (-off, off) for rows in (fewest, most)]
    inside = [min(max(middle + end, ask.low), ask.high) for end in (around / count, min(ends), max(ends))]
    return _told(ask, inside[:1], inside[1:2], inside[2:])


def _histogram(rows: pl.DataFrame, ask: Ask, noise: Noise) -> Aggregate:
    values = rows[str(ask.column)]
    if ask.among:
        labels = [*ask.among, OTHER]
        places = values.cast(pl.String).replace_strict(
            list(ask.among), range(len(ask.among)), default=len(ask.among), return_dtype=pl.Int64
        )
    else:
        texts = [f"{edge:g}" for edge in ask.edges]
        labels = [f"<{texts[0]}", *(f"{a}–{b}" for a, b in pairwise(texts)), f"≥{texts[-1]}"]
        number = values.cast(pl.Float64)
        places = pl.select(pl.sum_horizontal([pl.lit(number >= edge).cast(pl.Int64) for edge in ask.edges])).to_series()
    counts = dict(places.value_counts(name="rows").iter_rows())
    made = noise(
        [int(counts.get(at, 0)) for at in range(len(labels))], reach=ask.most, epsilon=ask.epsilon, delta=ask.delta
    )
    known = [float(max(value, 0)) for value in made.values]
    lower = [max(value - made.sure, 0.0) for value in made.values]
    return _told(ask, known, lower, [max(value + made.sure, 0.0) for value in made.values], labels)


def _on_grid(rows: pl.DataFrame, ask: Ask, middle: float) -> tuple[float, int, int]:
    """The grid, how many steps of it one row can move a sum, and the sum of the rows around a middle, in steps."""
    assert ask.low is not None, "it was checked"
    assert ask.high is not None, "it was checked"
    widest = max(abs(ask.low - middle), abs(ask.high - middle))
    grid = widest / _GRID
    steps = (pl.col(str(ask.column)).cast(pl.Float64).clip(ask.low, ask.high) - middle) / grid
    bound = steps.round().cast(pl.Int64).clip(-_GRID, _GRID)
    return grid, _GRID, int(rows.select(bound.sum()).item() or 0)


def _told(
    ask: Ask, values: Sequence[float], lower: Sequence[float], upper: Sequence[float], labels: Sequence[str] = ()
) -> Aggregate:
    left = [] if ask.column is None else [f"rows without {ask.column}"]
    left += [] if ask.per is None else [f"rows beyond {ask.most} of one {ask.per}"]
    return Aggregate(
        what=ask.what,
        column=ask.column,
        labels=tuple(labels) or (ask.column or "rows",),
        values=tuple(values),
        lower=tuple(lower),
        upper=tuple(upper),
        epsilon=ask.epsilon,
        delta=ask.delta,
        left_out=", ".join(left),
        per=ask.per,
    )
