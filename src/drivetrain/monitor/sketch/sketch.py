"""The summary of a column's values over some time: counts over the reference's bins, and moments."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.column import Column

FEWEST = 5
"""Values that moments are kept of: those of fewer would all but name them."""


class Sketch(msgspec.Struct, frozen=True):
    """Some values, as far as monitoring needs them.

    Counts over bins that both sides share are exact, and so is every statistic of them; merging adds them up. No value
    of a single row is kept: neither a least nor a greatest one, nor a category that the reference has as a rare one.

    Attributes:
        counts: Rows by bin of the column; nulls, infinities and categories never seen are the last.
        infinite: How many of the nulls are infinities.
        described: Of how many values moments are kept.
        mean: Their mean; 0 if there is none.
        squares: Sum of their squared distances from it.
    """

    counts: tuple[int, ...]
    infinite: int = 0
    described: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return sum(self.counts)

    @property
    def null_share(self) -> float:
        """Share of rows without a value; 0 of no rows."""
        return self.counts[-1] / self.rows if self.rows else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of the values described; NaN of none."""
        return math.sqrt(self.squares / self.described) if self.described else math.nan

    @property
    def histogram(self) -> Floats:
        """Counts as float64, shape (bins,)."""
        return np.asarray(self.counts, np.float64)

    def merge(self, other: Sketch) -> Sketch:
        """The sketch of both.

        Example:
            >>> one = Sketch((1, 2, 0), described=3, mean=1.0, squares=2.0)
            >>> one.merge(one).counts
            (2, 4, 0)
        """
        return merged([self, other])


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """The sketch of all of them; at least one.

    Source of the moments: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979).
    """
    parts = list(sketches)
    counts = np.sum([part.counts for part in parts], axis=0)
    described, mean, squares = added_up(
        np.array([part.described for part in parts]),
        np.array([part.mean for part in parts]),
        np.array([part.squares for part in parts]),
    )
    infinite = sum(part.infinite for part in parts)
    return Sketch(tuple(counts.tolist()), infinite, described, mean, squares)


def added_up(counts: Floats, means: Floats, squares: Floats) -> tuple[int, float, float]:
    """Moments of all from those of parts."""
    total = int(counts.sum())
    if not total:
        return 0, 0.0, 0.0
    mean = float((counts * means).sum() / total)
    return total, mean, float(squares.sum() + (counts * (means - mean) ** 2).sum())


def sketch_of(column: Column, values: Floats) -> Sketch:
    """The sketch of values, over a column's bins.

    Args:
        column: Whose bins; its own counts do not matter.
        values: Encoded values, shape (n,).
    """
    counts = np.bincount(column.place(values), minlength=column.width)
    known = values[np.isfinite(values)]
    infinite = int(np.isinf(values).sum())
    if column.type == "category" or len(known) < FEWEST:
        return Sketch(tuple(counts.tolist()), infinite)
    mean = float(known.mean())
    return Sketch(tuple(counts.tolist()), infinite, len(known), mean, float(((known - mean) ** 2).sum()))
