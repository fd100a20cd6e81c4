"""Quantiles of the values that each request sees.

The value of a given rank among those between two places is found bit by bit, in a wavelet matrix: of the values between
the places, those whose highest bit is zero are counted; the rank tells whether the wanted one is among them; then the
values are parted by that bit, and so on with the next. One bit's worth of the matrix is in memory at a time, and every
request walks down it at once. Where events are not known in the order they happen, the values that a request sees are
those known by then less those that left its window: two matrices are walked down together, and their counts subtracted.

Source: F. Claude, G. Navarro, A. Ordóñez, "The wavelet matrix", Information Systems 47 (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drivetrain.features.block import Block
from drivetrain.features.exact import Floats, Places

_Decoder: TypeAlias = Callable[[Places, Places], Floats]
"""Place of the entity's first event and symbol → value."""


@dataclass(eq=False)
class _Walk:
    """A sequence of symbols, and the ranges of it that requests are at while they walk down.

    Attributes:
        symbols: The symbols, parted by the bits walked down so far.
        low: By request, where its range begins.
        high: By request, where it ends.
    """

    symbols: npt.NDArray[np.int32]
    low: Places
    high: Places

    def zeros(self, bit: int) -> tuple[npt.NDArray[np.bool_], Places, Places]:
        """Which symbols have the bit; how many lack it before each range and up to the end of each."""
        ones = (self.symbols >> bit) & 1 > 0
        before = np.zeros(len(ones) + 1, dtype=np.int32)
        np.cumsum(~ones, out=before[1:])
        return ones, before[self.low].astype(np.int64), before[self.high].astype(np.int64)

    def step(self, ones: npt.NDArray[np.bool_], low: Places, high: Places, right: npt.NDArray[np.bool_]) -> None:
        """Parts the symbols; requests go to the part they want."""
        lacking = self.symbols[~ones]
        self.low = np.where(right, len(lacking) + self.low - low, low)
        self.high = np.where(right, len(lacking) + self.high - high, high)
        self.symbols = np.concatenate([lacking, self.symbols[ones]])


def quantiles(block: Block, values: Floats, asked: Sequence[tuple[int, float]]) -> list[Floats]:
    """Quantiles of what each request of a block sees.

    Args:
        block: The block.
        values: Values by code, ascending.
        asked: Which of the block's windows, and which quantile of it.

    Returns:
        For each of those the quantiles by request; NaN where a request sees no value.
    """
    symbols, decoded, bits = _symbols(block, values)
    places = []
    parts = []
    for window, q in asked:
        left = block.left[window]
        count = block.known - left
        there = np.flatnonzero(count > 0)
        rank = (count[there] - 1) * q
        below = np.floor(rank)
        above = np.minimum(below + 1, count[there] - 1)
        places.append((there, rank - below))
        parts += [(there, left, below.astype(np.int64)), (there, left, above.astype(np.int64))]
    request = np.concatenate([part[0] for part in parts])
    left = np.concatenate([part[1][part[0]] for part in parts])
    found = _ranked(_walks(block, symbols, request, left), np.concatenate([part[2] for part in parts]), bits)
    number = decoded(block.start[request], found)
    made, at = [], 0
    for there, share in places:
        low, high = number[at : at + len(there)], number[at + len(there) : at + 2 * len(there)]
        result = np.full(len(block.known), np.nan)
        result[there] = low + share * (high - low)
        made.append(result)
        at += 2 * len(there)
    return made


def _symbols(block: Block, values: Floats) -> tuple[npt.NDArray[np.int32], _Decoder, int]:
    """Symbols that sort as the values do, of as few bits as there are, and how they are read."""
    sizes = np.diff(block.starts)
    bits = int(sizes.max(initial=1) - 1).bit_length()
    if (len(values) - 1).bit_length() <= bits:
        return block.codes, lambda _start, symbol: values[symbol], max(len(values) - 1, 0).bit_length()
    entity = np.repeat(np.arange(len(sizes)), sizes)
    order = np.argsort(entity * len(values) + block.codes)
    symbols = np.empty(len(order), dtype=np.int32)
    symbols[order] = np.arange(len(order)) - np.repeat(block.starts[:-1], sizes)
    ascending = block.codes[order]
    return symbols, lambda start, symbol: values[ascending[start + symbol]], bits


def _walks(block: Block, symbols: npt.NDArray[np.int32], request: Places, left: Places) -> list[_Walk]:
    """A walk over what is known less what left; where that is one range, over it alone."""
    known = block.known[request]
    if block.order is None:
        return [_Walk(symbols, left, known)]
    start = block.start[request]
    return [_Walk(symbols[block.order], start, known), _Walk(symbols, start, left)]


def _ranked(walks: list[_Walk], rank: Places, bits: int) -> Places:
    """The symbol of each rank, from 0, among those in the first walk's range but not in the second's."""
    found = np.zeros(len(rank), dtype=np.int64)
    for bit in reversed(range(bits)):
        parted = [walk.zeros(bit) for walk in walks]
        lacking = parted[0][2] - parted[0][1]
        for _, low, high in parted[1:]:
            lacking -= high - low
        right = rank >= lacking
        rank = np.where(right, rank - lacking, rank)
        found |= right.astype(np.int64) << bit
        for walk, (ones, low, high) in zip(walks, parted, strict=True):
            walk.step(ones, low, high, right)
    return found
