"""Shares of groups whose rows come in blocks, and differences between them, with intervals.

A share's interval is Wilson's score interval (1927) at an effective number of rows: rows of one day share their luck,
so that a day of a hundred rows may be worth ten (the design effect of survey statistics; Franco et al., 2019, find
this form to cover what it says). The design effect is the variance between blocks over that of independent rows, never
below 1. Student's t with blocks - 1 degrees of freedom stands where Wilson has the normal.

A difference's interval is put together from those of its two shares, less what they have in common (the method of
variance estimates recovery, Zou and Donner, 2008; Newcombe's hybrid score interval, 1998, where nothing is).
Coverage and error rates are shown by simulation in the tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bootstrap import MIN_BLOCKS
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import t_quantile

_NORMAL = NormalDist()


@dataclass(frozen=True, eq=False)
class Tally:
    """Hits among the rows of a group, by block.

    Attributes:
        rows: Rows of the group in each block, shape (blocks,).
        hits: How many of them are hits, shape (blocks,).
        clustered: Whether rows of a block share their luck; if not, each row is taken to stand alone.
        alike: How alike two rows of a block are (the intraclass correlation), where the group itself can't tell.
    """

    rows: Floats
    hits: Floats
    clustered: bool
    alike: float = 0.0

    @cached_property
    def count(self) -> float:
        """Rows of the group."""
        return float(self.rows.sum())

    @cached_property
    def blocks(self) -> int:
        """Blocks in which it has rows."""
        return int((self.rows > 0).sum())

    @cached_property
    def share(self) -> float:
        """Share of hits."""
        return float(self.hits.sum()) / self.count

    @cached_property
    def pulls(self) -> Floats:
        """By how much each block pulls the share away from its value, shape (blocks,)."""
        return np.asarray((self.hits - self.share * self.rows) / self.count, np.float64)

    @cached_property
    def effect(self) -> float:
        """The design effect: how many rows are worth one that stands alone."""
        if not self.clustered:
            return 1.0
        together = float((self.rows**2).sum()) / self.count
        expected = 1.0 + (together - 1.0) * self.alike
        alone = self.share * (1.0 - self.share) / self.count
        if alone == 0.0:
            return max(1.0, expected)
        return max(1.0, self._variance() / alone)

    def correlation(self) -> float:
        """How alike two rows of a block are, from 0 to 1."""
        together = float((self.rows**2).sum()) / self.count
        if not self.clustered or together <= 1.0:
            return 0.0
        return min(1.0, (self.effect - 1.0) / (together - 1.0))

    def measure(self, level: float, among: int = 1) -> Measure:
        """The share with its interval; of ``among`` that hold all together."""
        low, high = self.bounds(level, among)
        return Measure(self.share, low, high, round(self.count), level)

    def bounds(self, level: float, among: int = 1) -> tuple[float, float]:
        """Wilson's bounds at the effective number of rows."""
        if self.clustered and self.blocks < 2:
            return 0.0, 1.0  # a single day does not say how days differ
        tail = (1.0 - level) / (2 * among)
        width = t_quantile(1.0 - tail, self.blocks - 1) if self.clustered else _NORMAL.inv_cdf(1.0 - tail)
        return wilson(self.share, self.count / self.effect, width)

    def _variance(self) -> float:
        blocks = self.blocks
        return float((self.pulls**2).sum()) * blocks / max(blocks - 1, 1)


def wilson(share: float, rows: float, width: float) -> tuple[float, float]:
    """Wilson's score interval.

    Args:
        share: Hits over rows.
        rows: How many, not necessarily whole.
        width: Standard errors to either side.

    Example:
        >>> low, high = wilson(0.1, 50, 1.959964)
        >>> round(low, 4), round(high, 4)
        (0.0435, 0.2136)
    """
    squared = width * width
    centre = (share + squared / (2 * rows)) / (1 + squared / rows)
    half = width / (1 + squared / rows) * math.sqrt(share * (1 - share) / rows + squared / (4 * rows * rows))
    return max(0.0, centre - half), min(1.0, centre + half)


def difference(ours: Tally, theirs: Tally, level: float, among: int) -> Measure:
    """Our share less theirs, of ``among`` differences that hold all together."""
    gap = ours.share - theirs.share
    low, high = ours.bounds(level, among)
    lowest, highest = theirs.bounds(level, among)
    common = _in_common(ours, theirs)
    down, up = ours.share - low, high - ours.share
    their_down, their_up = theirs.share - lowest, highest - theirs.share
    below = math.sqrt(max(0.0, down**2 + their_up**2 - 2 * common * down * their_up))
    above = math.sqrt(max(0.0, up**2 + their_down**2 - 2 * common * up * their_down))
    return Measure(gap, max(-1.0, gap - below), min(1.0, gap + above), round(ours.count), level)


def enough(tally: Tally, least: int) -> bool:
    """Whether a group has rows, and blocks, enough to say anything."""
    return tally.count >= least and (not tally.clustered or tally.blocks >= MIN_BLOCKS)


def blocks_of(ats: npt.NDArray[np.int64], block: int) -> tuple[npt.NDArray[np.intp], int]:
    """Block of each row, and how many there are."""
    _, codes = np.unique(ats // block, return_inverse=True)
    return codes.astype(np.intp), int(codes.max(initial=-1)) + 1


def _in_common(ours: Tally, theirs: Tally) -> float:
    """Correlation of the two shares: what a good day lifts in both. Only as much of it as lies beyond chance counts."""
    if not (ours.clustered and theirs.clustered):
        return 0.0
    mine, others = ours.pulls, theirs.pulls
    spread = math.sqrt(float((mine**2).sum()) * float((others**2).sum()))
    if spread == 0.0:
        return 0.0
    both = float((mine * others).sum()) / spread
    shared = math.sqrt((1 - 1 / ours.effect) * (1 - 1 / theirs.effect))
    return max(-1.0, min(both, shared))
