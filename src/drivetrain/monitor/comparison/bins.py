"""The bins two columns are counted into: quantiles of the reference, or what categories there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.pooled import Sorted

MOST = 20
_EACH = 20
"""Rows that a bin of the smaller side should hold, about."""
_FEWEST = 5


def edges_of(reference: Sorted, window: Sorted) -> Floats:
    """Where bins meet: at quantiles of the reference, as many as the smaller side has rows for.

    Below the first edge and from the last on, the reference has nothing: an empty bin at either end tells new territory
    from a busy edge.

    Example:
        >>> from drivetrain.monitor.comparison.pooled import sorted_of
        >>> edges_of(sorted_of([0.0, 0.0, 1.0]), sorted_of([5.0])).round(6).tolist()
        [0.0, 1.0, 1.0]
    """
    values = reference.values
    if not len(values):
        return np.empty(0)
    many = bins_for(reference.rows, window.rows)
    steps = steps_of(values, many)
    if len(steps) < many:
        inner = values[steps + 1]
    else:
        inner = values[np.ceil(np.linspace(0, 1, many + 1)[1:-1] * (len(values) - 1)).astype(np.intp)]
    return np.unique(np.concatenate([inner, [values[0], np.nextafter(values[-1], np.inf)]]))


def pooled_edges(values: Floats, many: int) -> Floats:
    """Where bins of both sides together meet, at their quantiles.

    Bins that the reference alone has chosen hold its rows evenly and the window's by chance: dealt by lot, both would
    lie closer together than they do. Bins chosen by all rows are the same however those are dealt.

    Args:
        values: Values of both sides, in order.
        many: About how many bins.

    Example:
        >>> pooled_edges(np.arange(100.0), 4).tolist()
        [25.0, 50.0, 75.0]
    """
    if not len(values):
        return np.empty(0)
    steps = steps_of(values, many)
    if len(steps) < many:
        return values[steps + 1]
    return np.unique(values[np.ceil(np.linspace(0, 1, many + 1)[1:-1] * (len(values) - 1)).astype(np.intp)])


def steps_of(values: Floats, many: int) -> npt.NDArray[np.intp]:
    """Places where values grow; those of a sample where these are enough to see that there are many."""
    few = np.flatnonzero(np.diff(values[:: max(len(values) // 10_000, 1)]))
    return few if len(few) >= many else np.flatnonzero(np.diff(values))


def bins_for(first: int, second: int) -> int:
    """How many bins the rows of both sides are enough for.

    Example:
        >>> bins_for(1_000_000, 200)
        10
    """
    return int(np.clip(min(first, second) // _EACH, _FEWEST, MOST))


def counts_of(column: Sorted, edges: Floats) -> Floats:
    """Rows in each bin, nulls last; shape (edges + 2,).

    Example:
        >>> from drivetrain.monitor.comparison.pooled import sorted_of
        >>> counts_of(sorted_of([0.5, 1.0, float("nan")]), np.array([1.0])).tolist()
        [1.0, 1.0, 1.0]
    """
    below = np.searchsorted(column.values, edges, side="left")
    return np.diff(np.concatenate([[0], below, [len(column.values), column.rows]])).astype(np.float64)
