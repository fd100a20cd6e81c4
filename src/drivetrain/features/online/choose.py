"""Aggregates of values that do not add up: how many differ, quantiles, the most frequent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T", float, str)


def quantile_of(values: Sequence[float], q: float) -> float:
    """Linear quantile of values, definition 7 of Hyndman and Fan; NaN of none.

    Example:
        >>> quantile_of([4.0, 1.0, 3.0, 2.0], 0.5)
        2.5
    """
    if not values:
        return math.nan
    ordered = sorted(values)
    place = (len(ordered) - 1) * q
    low = math.floor(place)
    below = ordered[low]
    if low + 1 == len(ordered):
        return below
    return below + (place - low) * (ordered[low + 1] - below)


def most_frequent(values: Sequence[T], rank: int) -> T | None:
    """The value at a rank (from 0) by frequency, and among equals by size; none if there are fewer different values.

    Example:
        >>> most_frequent(["b", "a", "b", "a", "c"], 1)
        'b'
    """
    counts = Counter(values)
    if len(counts) <= rank:
        return None
    if rank == 0:
        most = max(counts.values())
        return min(value for value, many in counts.items() if many == most)
    return sorted(counts, key=lambda value: (-counts[value], value))[rank]
