"""Rows as random Fourier features: the distance of mean features is the maximum mean discrepancy of a Gaussian kernel.

The kernel is k(x, y) = exp(-|x - y|² / 2s²) with s the median distance between pairs (Gretton, Borgwardt, Rasch,
Schölkopf and Smola, "A kernel two-sample test", JMLR 2012). It is approximated: cos(wx) and sin(wx) for D directions w
drawn from N(0, 1/s²), divided by √D, have inner products whose mean is k (Rahimi and Recht 2007; pairs of both, after
Sutherland and Schneider 2015). With D directions an inner product errs by 1/√(2D) at most in the mean square, and a
distance of means by less, for errors of pairs average out. Each row's features have length one, so the unbiased
estimate needs sums alone: those of blocks add up, and no pair of rows is looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats

SAMPLE = 1_000
"""Rows whose pairs give the median distance."""
_AT_ONCE = 4_096


class Rows(NamedTuple):
    """Rows of numbers, few of which are not 0: those of row i are ``start[i]`` to ``start[i + 1]``.

    Attributes:
        start: Shape (rows + 1,).
        at: Column of each number.
        values: The numbers.
        width: How many columns there are.
    """

    start: npt.NDArray[np.int64]
    at: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    width: int

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.start) - 1

    def dense(self, which: npt.NDArray[np.intp], columns: int | None = None) -> Floats:
        """Some rows written out, their first columns alone where a number is given."""
        width = self.width if columns is None else min(columns, self.width)
        found = np.zeros((len(which), width))
        for row, place in enumerate(which.tolist()):
            mine = slice(int(self.start[place]), int(self.start[place + 1]))
            known = self.at[mine] < width
            found[row, self.at[mine][known]] = self.values[mine][known]
        return found

    def times(self, directions: npt.NDArray[np.float32], begin: int, end: int) -> npt.NDArray[np.float32]:
        """Rows ``begin`` to ``end`` times a matrix, shape (rows, directions)."""
        first, last = int(self.start[begin]), int(self.start[end])
        found = np.zeros((end - begin, directions.shape[1]), np.float32)
        if last == first:
            return found
        parts = directions[self.at[first:last]] * self.values[first:last, None]
        starts = self.start[begin:end] - first
        some = np.flatnonzero(np.diff(self.start[begin : end + 1]))
        found[some] = np.add.reduceat(parts, starts[some], axis=0)
        return found


Points = Rows | npt.NDArray[np.float32]
"""Rows with few numbers each, or vectors of shape (rows, dimensions)."""


def count_of(points: Points) -> int:
    """How many rows there are."""
    return points.rows if isinstance(points, Rows) else len(points)


class Fourier(NamedTuple):
    """The features.

    Attributes:
        directions: w, shape (columns, D).
        width: s.
    """

    directions: npt.NDArray[np.float32]
    width: float

    def sums(self, points: Points, groups: npt.NDArray[np.intp], many: int) -> Floats:
        """Sums of features over groups of rows, shape (many, 2 D).

        Args:
            points: The rows.
            groups: Group of each; rows below 0 are left out.
            many: How many groups there are.
        """
        pairs = self.directions.shape[1]
        found = np.zeros((many, 2 * pairs))
        for begin in range(0, count_of(points), _AT_ONCE):
            end = min(begin + _AT_ONCE, count_of(points))
            mine = groups[begin:end]
            if isinstance(points, Rows):
                angles = points.times(self.directions, begin, end)
            else:
                angles = points[begin:end] @ self.directions
            held = np.flatnonzero(mine >= 0)
            order = held[np.argsort(mine[held], kind="stable")]
            if not len(order):
                continue
            steps = np.flatnonzero(np.diff(mine[order], prepend=-1))
            features = np.concatenate([np.cos(angles[order]), np.sin(angles[order])], axis=1)
            np.add.at(found, mine[order][steps], np.add.reduceat(features, steps, axis=0, dtype=np.float64))
        return np.asarray(found / np.sqrt(pairs))


def fourier_of(sample: Floats, pairs: int, seed: int = 0, width: float | None = None) -> Fourier:
    """Features for rows like those of a sample.

    Args:
        sample: Some rows, shape (rows, columns).
        pairs: D.
        seed: Where the directions come from.
        width: s; the median distance of the sample's pairs by default.
    """
    sigma = median_distance(sample) if width is None else width
    drawn = np.random.default_rng(seed).standard_normal((sample.shape[1], pairs))
    return Fourier((drawn / sigma).astype(np.float32), sigma)


def median_distance(sample: Floats) -> float:
    """The median distance between pairs of rows; 1 where all are the same.

    Example:
        >>> median_distance(np.array([[0.0], [3.0]]))
        3.0
    """
    squares = (sample**2).sum(axis=1)
    between = squares[:, None] + squares[None, :] - 2 * sample @ sample.T
    found = np.sqrt(np.maximum(between[np.triu_indices(len(sample), 1)], 0.0))
    median = float(np.median(found)) if len(found) else 0.0
    if median <= 1e-9:
        median = float(found[found > 1e-9].mean()) if (found > 1e-9).any() else 1.0
    return median


def unbiased(first: Floats, rows: float, second: Floats, others: float) -> float:
    """The squared discrepancy, unbiased: it may be below 0 where nothing changed.

    Args:
        first: Sum of the features of one side.
        rows: Of how many.
        second: Of the other.
        others: Of how many.
    """
    if min(rows, others) < 2:
        return 0.0
    within = (first @ first - rows) / (rows * (rows - 1)) + (second @ second - others) / (others * (others - 1))
    return float(within - 2 * (first @ second) / (rows * others))


def apart(first: Floats, second: Floats) -> Floats:
    """Distance of mean features, sampling errors included, shape (…,).

    Args:
        first: Sums of features, and how many rows behind them, shape (…, 2 D + 1).
        second: The same of the other side.
    """
    one = first[..., :-1] / np.maximum(first[..., -1:], 1.0)
    two = second[..., :-1] / np.maximum(second[..., -1:], 1.0)
    inner = np.einsum("...i,...i->...", one, two)
    squares = (one**2).sum(axis=-1) + (two**2).sum(axis=-1) - 2 * inner
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
