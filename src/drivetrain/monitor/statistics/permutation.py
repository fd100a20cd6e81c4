"""What chance does when rows are dealt anew: labels of reference and window permuted, for the counts there are.

Rows that are independent, and alike on both sides, might as well have been dealt to the sides by lot (Fisher 1935), so
a statistic's place among those of the deals is its probability, whatever the distribution, ties and rare bins
included. A deal is not made row by row: how many rows of the reference come to lie in each cell of the pooled rows is
hypergeometric, given those in the cells before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats

Whole = npt.NDArray[np.int64]

_LARGE = 100.0
"""A hypergeometric count of greater variance is drawn as a normal one, rounded."""
EDGE = 64
"""Ranks at either end that are cells of their own: what is rare and far out decides distances of heavy tails."""
_INNER = 192


def deal(pooled: Whole, rows: int, draws: int, random: np.random.Generator) -> Whole:
    """Deals pooled rows to the reference by lot.

    Args:
        pooled: Rows of both sides in each cell, shape (cells,).
        rows: How many the reference gets in all.
        draws: How often.
        random: Where the lots come from.

    Returns:
        The reference's rows in each cell, shape (cells, draws).

    Example:
        >>> deal(np.array([3, 1]), 4, 1, np.random.default_rng(1)).ravel().tolist()
        [3, 1]
    """
    found = np.empty((len(pooled), draws), np.int64)
    left = np.full(draws, rows, np.int64)
    rest = int(pooled.sum())
    for cell, size in enumerate(pooled.tolist()):
        rest -= size
        found[cell] = _lots(left, size, rest, random)
        left -= found[cell]
    return found


def _lots(left: Whole, size: int, rest: int, random: np.random.Generator) -> Whole:
    """Of ``left`` rows still to be dealt, how many fall into a cell of ``size`` where ``rest`` others are free."""
    total = size + rest
    if not size or not rest:
        return left.copy() if size else np.zeros_like(left)
    if size == 1:
        return (random.random(len(left)) * total < left).astype(np.int64)
    share = left / total
    variance = size * share * (1 - share) * (rest / max(total - 1, 1))
    if variance.min() < _LARGE:
        return random.hypergeometric(left, total - left, size)
    drawn = np.rint(size * share + np.sqrt(variance) * random.standard_normal(len(left))).astype(np.int64)
    return np.clip(drawn, np.maximum(left - rest, 0), np.minimum(left, size))


def ranks(rows: int) -> Whole:
    """Ranks of pooled rows at which gaps are looked at: each one near the ends, some two hundred between.

    Args:
        rows: How many pooled rows there are, at least 2.

    Returns:
        Growing numbers from 1 to ``rows`` - 1, all of them where there are few.
    """
    if rows - 1 <= 2 * EDGE + _INNER:
        return np.arange(1, rows, dtype=np.int64)
    inner = np.linspace(EDGE, rows - EDGE, _INNER // 2 + 2).astype(np.int64)
    # Between each one and evenly spaced ones ranks grow by a factor: of a heavy tail every doubling weighs alike.
    tail = np.geomspace(EDGE, rows / 16, _INNER // 4).astype(np.int64) if rows > 32 * EDGE else inner
    ends = [np.arange(1, EDGE + 1), tail, rows - tail, np.arange(rows - EDGE, rows)]
    return np.unique(np.concatenate([*ends, inner]))


def dealt_gaps(first: int, second: int, draws: int, random: np.random.Generator) -> Floats:
    """Gaps between the distribution functions of two sides that were dealt by lot, at :func:`ranks`.

    It depends on the rows' number alone: all columns share it.

    Args:
        first: Rows of the reference.
        second: Rows of the window.
        draws: How often.
        random: Where the lots come from.

    Returns:
        Shape (draws, ranks).
    """
    at = ranks(first + second)
    cells = np.diff(at, prepend=0)
    dealt = np.cumsum(deal(np.append(cells, first + second - at[-1]), first, draws, random)[:-1], axis=0)
    return np.ascontiguousarray((dealt / first - (at[:, None] - dealt) / second).T)


def cell_widths(values: Floats, at: Whole) -> Floats:
    """The widths that gaps at ranks stand for: each rank stands for those nearest to it.

    Args:
        values: All pooled values, sorted, shape (rows,).
        at: :func:`ranks` of so many rows.
    """
    ends = np.concatenate([[0], (at[:-1] + at[1:]) // 2, [len(values) - 1]])
    return np.diff(values[ends])


def place(value: float, drawn: Floats) -> float:
    """The probability of a value as large, from values by lot: it is one of them, where nothing changed.

    Example:
        >>> place(2.0, np.array([1.0, 3.0, 0.5]))
        0.5
    """
    return float((1 + np.count_nonzero(drawn >= value * (1 - 1e-12))) / (1 + len(drawn)))
