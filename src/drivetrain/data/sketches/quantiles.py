"""Quantiles of any number of values in a few kilobytes: a KLL sketch.

Karnin, Lang and Liberty, "Optimal quantile approximation in streams" (2016). A value at level h stands for 2^h values.
A level that grows over its capacity is sorted and every second value of it moves up a level. Whole arrays are taken at
once, so that nearly all the work is one sort.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

K = 400
"""Capacity of the top level: ranks are right to within one percent, with few exceptions."""
_LEAST = 8
_SHRINK = 2 / 3


class Quantiles(msgspec.Struct, frozen=True):
    """Where some values lie.

    Attributes:
        count: How many values there were.
        low: The least of them; exact.
        high: The greatest; exact.
        levels: Values kept, sorted, by level, as bytes of little-endian float64.

    Example:
        >>> quantiles_of(np.arange(101.0)).at([0.5])
        [50.0]
    """

    count: int = 0
    low: float = float("inf")
    high: float = float("-inf")
    levels: tuple[bytes, ...] = ()

    def at(self, shares: Sequence[float]) -> list[float]:
        """The values below or at which these shares of all values lie; empty if there is none."""
        if not self.count:
            return []
        values, weights = self._weighted()
        ranks = np.cumsum(weights)
        places = np.searchsorted(ranks, np.asarray(shares) * self.count - 1e-6, side="left")
        found = values[np.minimum(places, len(values) - 1)]
        # Both ends are known exactly.
        ends = [self.low if share <= 0 else self.high if share >= 1 else None for share in shares]
        return [float(value) if end is None else end for value, end in zip(found, ends, strict=True)]

    def below(self, edges: Floats) -> Floats:
        """For each edge, how many values are less than it, about."""
        values, weights = self._weighted()
        ranks = np.concatenate([[0.0], np.cumsum(weights)])
        return np.asarray(ranks[np.searchsorted(values, edges, side="left")])

    def merge(self, other: Quantiles) -> Quantiles:
        """The sketch of both."""
        if not other.count or not self.count:
            return self if self.count else other
        deepest = max(len(self.levels), len(other.levels))
        levels = [
            np.concatenate([_level(self.levels, height), _level(other.levels, height)]) for height in range(deepest)
        ]
        return _sketch(
            levels, self.count + other.count, min(self.low, other.low), max(self.high, other.high), gathered=True
        )

    def _weighted(self) -> tuple[Floats, Floats]:
        levels = [np.frombuffer(level, "<f8") for level in self.levels]
        values = np.concatenate([*levels, np.empty(0)])
        weights = np.concatenate([*(np.full(len(level), 2.0**at) for at, level in enumerate(levels)), np.empty(0)])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]


def quantiles_of(values: Floats) -> Quantiles:
    """The sketch of an array of finite values."""
    if not len(values):
        return Quantiles()
    ordered = np.sort(values)
    return _sketch([ordered], len(ordered), float(ordered[0]), float(ordered[-1]), gathered=False)


def _sketch(levels: list[Floats], count: int, low: float, high: float, *, gathered: bool) -> Quantiles:
    height = 0
    while height < len(levels):
        level = np.sort(levels[height]) if gathered else levels[height]
        # The lowest level that is too full is emptied first; how much it may hold depends on how many are above.
        if len(level) > _capacity(height, max(len(levels), _depth(count))):
            whole = len(level) & ~1
            offset = _coin(count, height)
            up = level[offset:whole:2]
            # An odd one stays behind, and must be neither always the least nor always the greatest.
            if whole == len(level):
                level = level[:0]
            elif _coin(count, height + 64):
                level, up = level[:1], level[1 + offset :: 2]
            else:
                level = level[whole:]
            if height + 1 == len(levels):
                levels.append(up)
            else:
                levels[height + 1] = np.concatenate([levels[height + 1], up])
        levels[height] = level
        height += 1
    return Quantiles(count, low, high, tuple(np.ascontiguousarray(level, "<f8").tobytes() for level in levels))


def _level(levels: Sequence[bytes], height: int) -> Floats:
    return np.frombuffer(levels[height], "<f8") if height < len(levels) else np.empty(0)


def _depth(count: int) -> int:
    """How many levels a sketch of that many values comes to have."""
    return max(1, (count // K).bit_length() + 1)


def _capacity(height: int, levels: int) -> int:
    return max(_LEAST, int(np.ceil(K * _SHRINK ** (levels - 1 - height))))


def _coin(count: int, height: int) -> int:
    """A bit that is as good as thrown, and falls alike for the same values: a profile made again is equal."""
    mixed = (count * 0x9E3779B97F4A7C15 + height * 0xBF58476D1CE4E5B9) & (1 << 64) - 1
    mixed = ((mixed ^ (mixed >> 30)) * 0x94D049BB133111EB) & (1 << 64) - 1
    return (mixed >> 61) & 1
