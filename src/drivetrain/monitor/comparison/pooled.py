"""Values of both sides in one order, and the gap between their distribution functions after each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.statistic import StatisticName

_PIECE = 1 << 13
"""Values at once: what fits a core's own cache, and is too little for BLAS to wake other threads for."""


class Sorted(NamedTuple):
    """A column of numbers.

    Attributes:
        values: Its finite values, in order.
        rows: How many rows there are, those without a finite value included.
    """

    values: Floats
    rows: int

    @property
    def null_share(self) -> float:
        """Share of rows without a finite value."""
        return 1 - len(self.values) / self.rows


def sorted_of(values: npt.ArrayLike) -> Sorted:
    """Sorts a column; NaN and infinities are nulls.

    Example:
        >>> sorted_of([2.0, float("nan"), 1.0])
        Sorted(values=array([1., 2.]), rows=3)
    """
    found = np.asarray(values, np.float64)
    ordered = np.sort(found)  # nulls come last
    if len(ordered) and np.isfinite(ordered[0]) and np.isfinite(ordered[-1]):
        return Sorted(ordered, len(found))
    return Sorted(ordered[np.isfinite(ordered)], len(found))


class Pooled(NamedTuple):
    """Both sides' values in one order.

    Attributes:
        values: Of both, shape (values,); nulls, if any, are not among them.
        dealt: How many values of the reference there are up to each, shape (values,).
        first: Rows of the reference, nulls included.
        second: Rows of the window.
    """

    values: Floats
    dealt: npt.NDArray[np.int64]
    first: int
    second: int

    def exact(self) -> dict[StatisticName, float]:
        """The statistics of gaps, in the values' own unit; nulls are the greatest value, and lie no further.

        KS is the largest gap, Wasserstein's distance the area of gaps, and energy twice that of their squares, under
        the root.
        """
        largest = area = squares = 0.0
        values, total = self.values, len(self.values)
        for begin in range(0, total, _PIECE):
            end = min(begin + _PIECE, total)
            dealt = self.dealt[begin:end]
            gaps = dealt * (1 / self.first + 1 / self.second)
            gaps -= np.arange(begin + 1, end + 1) * (1 / self.second)
            np.abs(gaps, out=gaps)
            widths = values[begin + 1 : end + 1] - values[begin : min(end, total - 1)]
            inner = gaps[: len(widths)]
            area += float(inner @ widths)
            largest = max(largest, float((inner * (widths > 0)).max(initial=0.0)))
            inner *= inner
            squares += float(inner @ widths)
            if end == total:
                largest = max(largest, float(gaps[-1]))  # the gap that nulls leave
        return {"ks": largest, "wasserstein": area, "energy": float(np.sqrt(2.0 * squares))}

    def padded(self) -> Floats:
        """The values with nulls in their places, as the greatest value there is; shape (rows,)."""
        nulls = self.first + self.second - len(self.values)
        top = self.values[-1] if len(self.values) else 0.0
        return np.concatenate([self.values, np.full(nulls, top)]) if nulls else self.values


def pooled_of(first: Sorted, second: Sorted) -> Pooled:
    """Merges two sorted columns.

    Example:
        >>> pooled_of(sorted_of([1.0, 3.0]), sorted_of([2.0])).exact()["wasserstein"]
        1.0
    """
    n, m = len(first.values), len(second.values)
    at = np.searchsorted(first.values, second.values, side="right")
    at += np.arange(m)
    is_first = np.ones(n + m, np.bool_)
    is_first[at] = False
    values = np.empty(n + m)
    values[at] = second.values
    values[is_first] = first.values
    return Pooled(values, np.cumsum(is_first), first.rows, second.rows)
