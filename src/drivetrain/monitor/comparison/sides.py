"""A column of both sides, made ready: its values now, and its values under each deal of chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from drivetrain.core.special import special
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.bins import bins_for, counts_of, edges_of, pooled_edges, steps_of
from drivetrain.monitor.comparison.pooled import Pooled, Sorted, pooled_of
from drivetrain.monitor.statistics.permutation import Whole, cell_widths, deal, dealt_gaps, ranks
from drivetrain.monitor.statistics.statistic import StatisticName, scale, statistic_of

FEW = 256
"""Up to so many different values, each is a cell of its own."""


class Deals:
    """Chance, for the rows there are: what all columns share.

    Args:
        first: Rows of the reference.
        second: Rows of the window.
        draws: How often both are dealt anew.
        seed: Where the lots come from.
    """

    def __init__(self, first: int, second: int, draws: int, seed: int) -> None:
        self.first, self.second, self.draws = first, second, draws
        self.random = np.random.default_rng(seed)
        self._gaps: dict[int, Floats] = {}
        self.at: Whole = ranks(first + second)

    def gaps(self, draws: int) -> Floats:
        """Gaps without their signs, at ranks, of so many deals; what was dealt once is dealt for all columns."""
        found = self._gaps.get(draws)
        if found is None:
            found = self._gaps[draws] = np.abs(dealt_gaps(self.first, self.second, draws, self.random))
        return found

    def smirnov(self, alpha: float) -> float:
        """What the largest gap exceeds with a probability, in the limit of many rows."""
        return float(special().kolmogi(alpha)) / self._root

    def kolmogorov(self, gap: float) -> float:
        """The probability of a largest gap as large, in that limit."""
        return float(special().kolmogorov(self._root * gap))

    @property
    def _root(self) -> float:
        return float(np.sqrt(self.first * self.second / (self.first + self.second)))

    @property
    def whole(self) -> bool:
        """Whether gaps are known at every rank."""
        return len(self.at) == self.first + self.second - 1


class Side(Protocol):
    """A column of both sides."""

    null_shares: tuple[float, float]

    def value(self, statistic: str) -> float:
        """What is seen."""
        ...

    def compared(self, statistic: str) -> float:
        """What is to be compared with chance: the same, or over cells that chance does not move."""
        ...

    def chance(self, statistic: str, draws: int) -> Floats | float:
        """The statistic under so many deals; or its probability, where theory tells it."""
        ...


class Categories:
    """A column of categories: counts, nulls last.

    Args:
        first: Of the reference, shape (cells,).
        second: Of the window, over the same cells.
        deals: Chance.
    """

    def __init__(self, first: Floats, second: Floats, deals: Deals) -> None:
        self._first, self._second, self._deals = first, second, deals
        self._pooled = first + second
        self._dealt: dict[int, Floats] = {}
        self.null_shares = (float(first[-1] / first.sum()), float(second[-1] / second.sum()))

    def value(self, statistic: str) -> float:
        """What is seen."""
        return float(statistic_of(statistic).counts(self._first, self._second))

    def compared(self, statistic: str) -> float:
        """The same."""
        return self.value(statistic)

    def chance(self, statistic: str, draws: int) -> Floats:
        """The statistic under so many deals."""
        return statistic_of(statistic).counts(*self.dealt(draws))

    def dealt(self, draws: int) -> tuple[Floats, Floats]:
        """Counts of both sides under so many deals, shape (draws, cells) each."""
        found = self._dealt.get(draws)
        if found is None:
            deals = self._deals
            lots = deal(self._pooled.astype(np.int64), deals.first, draws, deals.random)
            found = self._dealt[draws] = lots.T.astype(np.float64)
        return found, self._pooled - found


class Numbers:
    """A column of numbers.

    Args:
        first: Of the reference.
        second: Of the window.
        deals: Chance.
    """

    def __init__(self, first: Sorted, second: Sorted, deals: Deals) -> None:
        self.null_shares = (first.null_share, second.null_share)
        self._deals = deals
        self._unit = unit_of(first)
        edges = edges_of(first, second)
        self._seen = (counts_of(first, edges), counts_of(second, edges))
        pooled = pooled_of(first, second)
        edges = pooled_edges(pooled.values, bins_for(first.rows, second.rows))
        self._bins = Categories(counts_of(first, edges), counts_of(second, edges), deals)
        self._exact = told(pooled.exact(), self._unit)
        self._prepare(pooled)

    def value(self, statistic: str) -> float:
        """What is seen."""
        if statistic in self._exact:
            return self._exact[statistic]
        return float(statistic_of(statistic).counts(*self._seen))

    def compared(self, statistic: str) -> float:
        """What is to be compared with chance: what is of bins, over bins of both sides' quantiles."""
        return self._exact[statistic] if statistic in self._exact else self._bins.value(statistic)

    def chance(self, statistic: str, draws: int) -> Floats | float:
        """The statistic under so many deals; or its probability, where theory tells it."""
        if statistic not in self._exact:
            return self._bins.chance(statistic, draws)
        if self._cells is not None:
            return self._of_cells(self._cells, statistic, draws)
        deals = self._deals
        if statistic == "wasserstein":
            return np.asarray(deals.gaps(draws) @ self._widths)
        if statistic == "energy":
            return np.sqrt(2.0 * (deals.gaps(draws) ** 2 @ self._widths))
        if deals.whole:
            return np.asarray(deals.gaps(draws)[:, self._told].max(axis=1, initial=0.0))
        # Of values that repeat, Kolmogorov's law says too much rather than too little.
        return deals.kolmogorov(self._exact["ks"])

    def _prepare(self, pooled: Pooled) -> None:
        """What chance does needs the widths of few cells alone."""
        values, deals = pooled.values, self._deals
        self._cells: Categories | None = None
        steps = steps_of(values, FEW)
        if len(steps) < FEW and not deals.whole:
            ends = np.append(steps, len(values) - 1) if len(values) else steps
            before = np.append(np.diff(pooled.dealt[ends], prepend=0), deals.first - int(pooled.dealt[-1:].sum()))
            both = np.append(np.diff(ends, prepend=-1), deals.first + deals.second - len(values))
            self._cells = Categories(before.astype(np.float64), (both - before).astype(np.float64), deals)
            self._widths = np.append(np.diff(values[ends]), 0.0)[: len(ends)] / self._unit
            return
        padded = pooled.padded()
        self._widths = cell_widths(padded, deals.at) / self._unit
        self._told = np.diff(padded) > 0 if deals.whole else np.empty(0, np.bool_)
        if deals.whole and 0 < len(values) < len(padded):
            self._told[len(values) - 1] = True

    def _of_cells(self, cells: Categories, statistic: str, draws: int) -> Floats:
        first, second = cells.dealt(draws)
        gaps = np.cumsum(first / self._deals.first - second / self._deals.second, axis=1)[:, :-1]
        if statistic == "ks":
            return np.asarray(np.abs(gaps).max(axis=1, initial=0.0))
        gap = statistic_of(statistic).gaps
        assert gap is not None
        return gap(gaps, self._widths)


def unit_of(reference: Sorted) -> float:
    """The unit that distances of a column are told in; see :func:`~drivetrain.monitor.statistics.statistic.scale`."""
    values = reference.values
    if not len(values):
        return 1.0
    low, high = (float(values[int(share * (len(values) - 1))]) for share in (0.05, 0.95))
    return scale(low, high, float(values.std()) if low == high else 0.0)


def told(exact: Mapping[StatisticName, float], unit: float) -> dict[str, float]:
    """Distances in the column's unit: energy's is the root of it."""
    return {
        "ks": exact["ks"],
        "wasserstein": exact["wasserstein"] / unit,
        "energy": exact["energy"] / unit**0.5,
    }
