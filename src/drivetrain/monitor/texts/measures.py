"""The statistics of a column of texts or vectors: as seen, and as dealt by lot."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.jensen_shannon import jensen_shannon
from drivetrain.monitor.texts.dealing import Dealing
from drivetrain.monitor.texts.discriminant import areas
from drivetrain.monitor.texts.fourier import SAMPLE, Fourier, Points, Rows, apart, fourier_of, unbiased
from drivetrain.monitor.texts.words import Cut, Word, moved

_PAIRS = 256
_WORDS = 200
_AT_ONCE = 2_048


class Lying:
    """Where points lie: their maximum mean discrepancy, and how well a linear rule tells sides apart.

    Args:
        points: Rows of both sides, the reference's first.
        known: Which of them have a value.
        first: How many are the reference's.
        dealing: How they are dealt.
        seed: Where samples and directions come from.
    """

    def __init__(self, points: Points, known: np.ndarray, first: int, dealing: Dealing, seed: int) -> None:
        self._points, self._first, self._dealing, self._seed = points, first, dealing, seed
        self._known = known
        self.measured = bool(known[:first].any() and known[first:].any())

    def mmd(self) -> tuple[float, Floats]:
        """The root of the unbiased estimate, of all rows; and what is compared with chance, as it is and dealt."""
        total, first = self._dealing.total, self._dealing.many[0]
        spare = total + (np.arange(len(self._known)) >= self._first)  # rows that are dealt with no group
        groups = np.where(self._dealing.groups >= 0, self._dealing.groups, spare)
        groups = np.where(self._known, groups, -1).astype(np.intp)
        sums = self._fourier.sums(self._points, groups, total + 2)
        counts = np.bincount(groups[groups >= 0], minlength=total + 2).astype(np.float64)
        whole = np.column_stack([sums, counts])
        one = whole[:first].sum(axis=0) + whole[total]
        two = whole[first:total].sum(axis=0) + whole[total + 1]
        seen = unbiased(one[:-1], float(one[-1]), two[:-1], float(two[-1]))
        second = self._dealing.sides @ whole[:total]
        return float(np.sqrt(max(seen, 0.0))), apart(whole[:total].sum(axis=0) - second, second)

    def classifier(self) -> Floats | None:
        """Area under the curve, as it is and dealt; none where there are too few groups."""
        return areas(self._points, self._known, self._dealing, self._seed)

    @cached_property
    def _fourier(self) -> Fourier:
        random = np.random.default_rng(self._seed)
        there = np.flatnonzero(self._known)
        some = np.sort(random.choice(there, min(SAMPLE, len(there)), replace=False))
        points = self._points
        sample = points.dense(some) if isinstance(points, Rows) else points[some].astype(np.float64)
        return fourier_of(sample, _PAIRS, self._seed)


class Worded:
    """Which words texts are made of.

    Args:
        cut: Texts of both sides cut into words, the reference's first.
        first: How many texts are the reference's.
        dealing: How they are dealt.
    """

    def __init__(self, cut: Cut, first: int, dealing: Dealing) -> None:
        self._cut, self._first, self._dealing = cut, first, dealing
        counts = np.bincount(cut.words, minlength=len(cut.names))
        # The most frequent of both sides together: chance may deal them in any way.
        self._kept = np.argsort(-counts, kind="stable")[:_WORDS]
        place = np.full(len(cut.names), len(self._kept))
        place[self._kept] = np.arange(len(self._kept))
        self._cells = place[cut.words]

    @property
    def measured(self) -> bool:
        """Whether both sides have words."""
        return bool(len(self._cut.words)) and 0 < int((self._cut.texts < self._first).sum()) < len(self._cut.texts)

    def shares(self) -> tuple[float, Floats]:
        """Jensen-Shannon distance of the shares of words, of all rows; and as it is and dealt of groups."""
        width = len(self._kept) + 1
        is_window = (self._cut.texts >= self._first).astype(np.intp)
        seen = np.bincount(is_window * width + self._cells, minlength=2 * width).reshape(2, width).astype(float)
        groups = self._dealing.groups[self._cut.texts]
        held = groups >= 0
        flat = np.bincount(groups[held] * width + self._cells[held], minlength=self._dealing.total * width)
        counts = flat.reshape(self._dealing.total, width).astype(float)
        second = self._dealing.sides @ counts
        return float(jensen_shannon(seen[0], seen[1])), jensen_shannon(counts.sum(axis=0) - second, second)

    def unseen(self) -> tuple[float, Floats]:
        """Share of the window's words that the reference has nowhere, beyond the mean of lots; the share as dealt.

        Some words are always new, more of them the fewer rows the reference has.
        """
        found = self._unseen_dealt()
        return max(float(found[0] - found[1:].mean()), 0.0), found

    def _unseen_dealt(self) -> Floats:
        dealing, cut = self._dealing, self._cut
        groups = dealing.groups[cut.texts]
        held = groups >= 0
        keys, often = np.unique(cut.words[held] * dealing.total + groups[held], return_counts=True)
        words, at = keys // dealing.total, keys % dealing.total
        totals = dealing.sides @ np.bincount(at, often, dealing.total)
        # A word in more groups than the window has is never the window's alone.
        spread = np.bincount(words, minlength=len(cut.names))
        some = spread[words] <= dealing.many[1]
        words, at, often = words[some], at[some], often[some]
        if not len(words):
            return np.zeros(len(dealing.sides))
        starts = np.flatnonzero(np.diff(words, prepend=-1))
        sizes = np.add.reduceat(often, starts).astype(np.float64)
        # Eight deals to a byte: a word is the window's alone where all of its groups are.
        bits = np.packbits(dealing.sides.T > 0, axis=1)
        found = np.zeros(8 * bits.shape[1])
        for begin in range(0, len(starts), _AT_ONCE):
            part = starts[begin : begin + _AT_ONCE]
            end = starts[begin + _AT_ONCE] if begin + _AT_ONCE < len(starts) else len(at)
            alone = np.bitwise_and.reduceat(bits[at[part[0] : end]], part - part[0], axis=0)
            found += sizes[begin : begin + _AT_ONCE] @ np.unpackbits(alone, axis=1)
        found = found[: len(dealing.sides)]
        return found / np.maximum(totals, 1.0)

    def moved(self) -> list[Word]:
        """Words that surely rose or fell."""
        cut, names = self._cut, self._cut.names
        is_window = cut.texts >= self._first
        counts = [np.bincount(cut.words[side], minlength=len(names)).astype(float) for side in (~is_window, is_window)]
        rows = (self._first, len(cut.lengths) - self._first)
        return moved(names, counts[0], counts[1], rows)
