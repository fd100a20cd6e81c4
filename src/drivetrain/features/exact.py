"""Sums and variances that lose nothing: prefix sums as exact as they need to be.

A float64 prefix sum forgets low bits as it grows, and then the difference of two prefixes, which is what a window is,
is wrong in its leading digits. Here the rounding error of every step of the prefix is recovered exactly (TwoSum) and
summed beside it, and the errors of that sum again, until nothing is lost or there are four sums, which hold 212 bits.
Whole numbers need one, measurements two. A window's sum is then the exact sum rounded once: the same number whatever
came before, so the same offline and online.

Sources: T. Ogita, S. M. Rump, S. Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26 (2005), Sum2;
T. J. Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18 (1971), products.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]
Pair: TypeAlias = tuple[Floats, Floats]
"""A number as an unevaluated sum of two floats, the first the nearest float64 to the whole."""

_SPLIT = 134217729.0  # 2**27 + 1
_BLOCK = 1 << 15
_LEVELS = 4
_NOTHING_LEFT = 2.0**-98


def two_sum(first: Floats, second: Floats) -> Pair:
    """The rounded sum and its rounding error; exact for any order of magnitudes."""
    total = first + second
    shadow = total - first
    return total, (first - (total - shadow)) + (second - shadow)


def two_product(first: Floats, second: Floats) -> Pair:
    """The rounded product and its rounding error; exact while neither overflows nor underflows."""
    total = first * second
    first_high, first_low = _split(first)
    second_high, second_low = _split(second)
    error = first_low * second_low - (
        ((total - first_high * second_high) - first_low * second_high) - first_high * second_low
    )
    return total, error


def add(first: Pair, second: Pair) -> Pair:
    """Sum of two pairs."""
    high, carry = two_sum(first[0], second[0])
    low, rest = two_sum(first[1], second[1])
    high, low = two_sum(high, carry + low)
    return two_sum(high, low + rest)


def subtract(first: Pair, second: Pair) -> Pair:
    """Difference of two pairs."""
    return add(first, (-second[0], -second[1]))


class Prefix:
    """Sums of the first 0, 1, … n values of a vector.

    Attributes:
        parts: Vectors of length n + 1 that add up to the sums: those of the values, and those of their low parts.
    """

    def __init__(self, values: Floats, more: Floats | None = None) -> None:
        """Adds up.

        Args:
            values: What to add; finite.
            more: A low part of each value, for values that are pairs themselves.
        """
        self.parts = [_levels(values), [] if more is None or not more.any() else _levels(more)]

    def between(self, start: Places, stop: Places, since: Prefix | None = None) -> Pair:
        """Sum of the values from each start up to, not including, its stop.

        Args:
            start: Places in the prefix ``since``.
            stop: Places in this one.
            since: Prefix of the same values in another order, for values that are in one order up to ``stop`` but not
                in the other up to ``start``; this one if none.
        """
        total = np.zeros(len(stop)), np.zeros(len(stop))
        # Level by level: either whole prefix as a pair would have lost what is small beside it.
        for mine, other in zip(self.parts, (since or self).parts, strict=True):
            for high, low in zip_longest(mine, other):
                total = add(total, two_sum(_at(high, stop), -_at(low, start)))
        return total


def std_of(count: Floats, total: Pair, squares: Pair) -> Floats:
    """Sample standard deviation from sums and sums of squares.

    Args:
        count: Number of values.
        total: Sum of the values.
        squares: Sum of their squares.

    Returns:
        Square root of the variance with divisor n - 1; NaN where the count is below two, 0 where what is left of the
        difference is within its rounding error.
    """
    scaled = _times(squares, count)
    square, error = two_product(total[0], total[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        left = subtract(scaled, two_sum(square, error + 2.0 * total[0] * total[1]))
        spread = np.where(left[0] > _NOTHING_LEFT * scaled[0], left[0] + left[1], 0.0)
        return np.where(count > 1, np.sqrt(spread / (count * (count - 1.0))), np.nan)


def _split(value: Floats) -> Pair:
    scaled = _SPLIT * value
    high = scaled - (scaled - value)
    return high, value - high


def _times(pair: Pair, factor: Floats) -> Pair:
    high, error = two_product(pair[0], factor)
    return two_sum(high, error + pair[1] * factor)


def _at(level: Floats | None, place: Places) -> Floats:
    taken: Floats = np.zeros(len(place)) if level is None else level[place]
    return taken


def _levels(values: Floats) -> list[Floats]:
    """Vectors of length n + 1 that together add up to the exact prefix sums, as far as four of them can."""
    levels: list[Floats] = []
    left: Floats | None = values
    while left is not None and len(levels) < _LEVELS:
        high = np.empty(len(left) + 1)
        high[0] = 0.0
        np.cumsum(left, out=high[1:])
        levels.append(high)
        left = _lost(high, left)
    return levels


def _lost(high: Floats, values: Floats) -> Floats | None:
    """What each step of a prefix sum lost to rounding; none if nothing was."""
    lost: Floats | None = None
    for start in range(0, len(values), _BLOCK):
        stop = min(start + _BLOCK, len(values))
        before, after, value = high[start:stop], high[start + 1 : stop + 1], values[start:stop]
        shadow = after - before
        error = (before - (after - shadow)) + (value - shadow)
        if lost is None and error.any():
            lost = np.zeros(len(values))
        if lost is not None:
            lost[start:stop] = error
    return lost
