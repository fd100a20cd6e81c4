"""What chance does when rows in time hang together: whole blocks of time change sides, never single rows.

Neighbours in time resemble each other, so a window of a thousand rows holds far fewer than a thousand independent ones.
Blocks longer than that resemblance may be dealt to the sides by lot where nothing changed (Politis and Romano 1994 take
whole blocks for the same reason); all columns are dealt together, so that what hangs together among them does so in
every deal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY, HOUR, Micros
from drivetrain.evaluate.ranking import Floats

MIN_BLOCKS = 6
"""Blocks that are left of the reference, at least."""
_MIN_DAYS = 12
_ALIKE = 0.1


def block_length(ats: npt.NDArray[np.int64], values: Sequence[Floats], longest: Micros) -> Micros:
    """How long blocks must be so that the mean of one says next to nothing of the next one's.

    Args:
        ats: Moments of the reference's rows, microseconds, shape (n,).
        values: Columns of numbers, each of shape (n,).
        longest: How long the window is: no block is longer.

    Returns:
        A day, two, four and so on, or hours where there are less than twelve days: the least for which the
        autocorrelation of block means, in the mean over columns, is below .1; or the longest that leaves six blocks.

    Example:
        >>> block_length(np.arange(2400) * HOUR, [np.random.default_rng(1).normal(size=2400)], 7 * DAY) == DAY
        True
    """
    span = int(ats.max() - ats.min()) + 1
    length = DAY if span >= _MIN_DAYS * DAY and longest >= DAY else HOUR
    while span // (2 * length) >= MIN_BLOCKS and 2 * length <= longest and _alike(ats // length, values) > _ALIKE:
        length *= 2
    return length


def _alike(blocks: npt.NDArray[np.int64], values: Sequence[Floats]) -> float:
    """Autocorrelation of block means over all columns; means of few blocks look less alike than they are."""
    place = np.unique(blocks, return_inverse=True)[1]
    found = []
    for column in values:
        finite = np.isfinite(column)
        if not finite.any():
            continue
        # Ranks instead of values: one far value would hide what the others do.
        order = np.empty(len(column))
        order[np.argsort(column, kind="stable")] = np.arange(len(column))
        rows = np.bincount(place, finite)
        means = np.bincount(place, np.where(finite, order, 0.0))[rows > 0] / rows[rows > 0]
        apart = means - means.mean()
        if len(apart) > 2 and apart @ apart > 0:
            found.append(float(apart[1:] @ apart[:-1] / (apart @ apart)) + 1 / len(apart))
    return float(np.mean(found)) if found else 0.0


def sides(first: int, second: int, draws: int, random: np.random.Generator) -> Floats:
    """Deals blocks to the window by lot.

    Args:
        first: Blocks of the reference.
        second: Blocks of the window.
        draws: How often.
        random: Where the lots come from.

    Returns:
        1 for each block that comes to lie in the window, shape (draws, blocks); the reference's blocks come first.
    """
    lots = random.random((draws, first + second))
    chosen = np.argpartition(lots, second - 1, axis=1)[:, :second]
    found = np.zeros((draws, first + second))
    np.put_along_axis(found, chosen, 1.0, axis=1)
    return found
