"""How a column's values are spread, as few bars: read off its sketch."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from drivetrain.data.profile import ColumnProfile
from drivetrain.data.sketches.quantiles import Floats

BARS = 24
_FAR = 2.0
"""Ends that are so many times further apart than 98 % of the values are left out."""
_WHOLE = ("Int", "UInt", "Date")


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of values in ranges of equal width.

    Attributes:
        low: Where the first range begins; of times microseconds, of dates days since 1970.
        high: Where the last one ends.
        shares: Of all values, how many are in each range, about; their sum is less than 1 where far ends are left out.
        before: The same of the version that is compared with.
    """

    low: float
    high: float
    shares: tuple[float, ...]
    before: tuple[float, ...] = ()


def histogram(now: ColumnProfile, before: ColumnProfile | None = None) -> Histogram | None:
    """The bars of a column of numbers or times; none where nothing is kept of its values, or all are the same.

    Args:
        now: The column.
        before: The same in an earlier version, laid over the same ranges.
    """
    parts = [part for part in (now, before) if part is not None and part.quantiles.count and part.dtype == now.dtype]
    if not now.quantiles.count:
        return None
    ends = [_ends(part) for part in parts]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if low == high:
        return None
    edges = _edges(low, high, whole=now.dtype.startswith(_WHOLE) and not now.dtype.startswith("Datetime"))
    shares = [_shares(part, edges) for part in parts]
    return Histogram(
        low=float(edges[0]), high=float(edges[-1]), shares=shares[0], before=shares[1] if len(shares) > 1 else ()
    )


def _ends(column: ColumnProfile) -> tuple[float, float]:
    low, high = column.quantiles.low, column.quantiles.high
    near, far = column.quantiles.at((0.01, 0.99))
    return (near, far) if far > near and high - low > _FAR * (far - near) else (low, high)


def _edges(low: float, high: float, *, whole: bool) -> Floats:
    if not whole:
        return np.linspace(low, high, BARS + 1)
    # Ranges of unequally many whole numbers would look like a comb.
    width = max(1, math.ceil((high - low + 1) / BARS))
    return low - 0.5 + width * np.arange(math.ceil((high - low + 1) / width) + 1, dtype=np.float64)


def _shares(column: ColumnProfile, edges: Floats) -> tuple[float, ...]:
    ends = edges.copy()
    ends[-1] = np.nextafter(ends[-1], np.inf)
    counts = np.diff(column.quantiles.below(ends)) / column.quantiles.count
    return tuple(round(float(share), 5) for share in counts)
