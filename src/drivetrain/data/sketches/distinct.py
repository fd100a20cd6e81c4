"""How many different values there are, in two kilobytes: HyperLogLog.

Flajolet, Fusy, Gandouet and Meunier (2007), with the linear counting of small numbers as there. A value's hash names a
register and a rank (leading zeros and one); each register keeps its greatest rank.
"""

from __future__ import annotations

import math
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
_BITS = 11
REGISTERS = 1 << _BITS
ERROR = 1.04 / math.sqrt(REGISTERS)
"""Relative standard error."""
_REST = 64 - _BITS
_MASK = np.uint64((1 << _REST) - 1)
_FIRST = 1 << 16


class Distinct(msgspec.Struct, frozen=True):
    """Which values were seen, as far as it takes to count them.

    Attributes:
        registers: The greatest rank of each register; empty if nothing was seen.
        hashing: Which hash it stands on; sketches of different hashes can't be merged.

    Example:
        >>> round(distinct_of(pl.Series([1, 2, 2, 3])).estimate)
        3
    """

    registers: bytes = b""
    hashing: int = 0

    @property
    def estimate(self) -> float:
        """How many different values there were."""
        if not self.registers:
            return 0.0
        ranks = np.frombuffer(self.registers, np.uint8).astype(np.float64)
        raw = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS**2 / float(np.exp2(-ranks).sum())
        empty = int((ranks == 0).sum())
        return REGISTERS * math.log(REGISTERS / empty) if empty and raw <= 2.5 * REGISTERS else raw

    def merge(self, other: Distinct) -> Distinct | None:
        """The sketch of both; none where they stand on different hashes."""
        if not self.registers or not other.registers:
            return other if other.registers else self
        if self.hashing != other.hashing:
            return None
        ranks = np.maximum(np.frombuffer(self.registers, np.uint8), np.frombuffer(other.registers, np.uint8))
        return Distinct(ranks.tobytes(), self.hashing)


def hashes(values: pl.Series) -> Hashes:
    """A hash of every value; floats that are equal hash alike, whatever the sign of their zero."""
    return values.hash(seed=0).to_numpy()


@cache
def hashing() -> int:
    """Names the hash in use: Polars promises the same one within a release only."""
    found = pl.Series(["drivetrain"]).hash(seed=0).item() ^ (pl.Series([1.5]).hash(seed=0).item() >> 1)
    return int(found) >> 1


def distinct_of(values: pl.Series) -> Distinct:
    """The sketch of a column without nulls."""
    return distinct_of_hashes(hashes(values))


def distinct_of_hashes(found: Hashes) -> Distinct:
    """The sketch of values by their hashes."""
    if not len(found):
        return Distinct()
    ranks = np.zeros(REGISTERS, np.uint8)
    _raise(ranks, found[:_FIRST])
    rest = found[_FIRST:]
    least = int(ranks.min())
    if least and len(rest):
        # Most hashes rank below every register by now: only those above the least can change one.
        rest = rest[(rest & _MASK) < np.uint64(1 << (_REST - least))]
    _raise(ranks, rest)
    return Distinct(ranks.tobytes(), hashing())


def _raise(ranks: npt.NDArray[np.uint8], found: Hashes) -> None:
    if not len(found):
        return
    places = (found >> np.uint64(_REST)).astype(np.int64)
    # frexp's exponent is the place of the highest bit; the rest has 53 bits, which a float64 holds exactly.
    highest = np.frexp((found & _MASK).astype(np.float64))[1]
    cells = places * 64 + (_REST + 1 - highest)
    seen = np.bincount(cells, minlength=REGISTERS * 64).reshape(REGISTERS, 64) > 0
    greatest = 63 - np.argmax(seen[:, ::-1], axis=1)
    np.maximum(ranks, np.where(seen.any(axis=1), greatest, 0).astype(np.uint8), out=ranks)
