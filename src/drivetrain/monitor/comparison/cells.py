"""Counts of a column by block and cell: what a statistic of any way of dealing blocks is read from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.bins import bins_for, pooled_edges
from drivetrain.monitor.comparison.columns import MOST_CATEGORIES, is_number, numbers
from drivetrain.monitor.comparison.pooled import sorted_of
from drivetrain.monitor.statistics.statistic import statistic_of

_CELLS = 96
_EDGE = 24


class Cells:
    """Counts of a column by block and cell: fine cells of numbers for gaps, bins for what is of bins."""

    def __init__(self, first: pl.Series, second: pl.Series, blocks: npt.NDArray[np.intp], many: int) -> None:
        self._widths = np.empty(0)
        if is_number(first):
            both = np.concatenate([numbers(column) for column in (first, second)])
            ordered = sorted_of(both)
            edges = np.unique(ordered.values[_ranks(len(ordered.values))])
            middles = np.append(edges[1:], ordered.values[-1:])
            self._widths = np.maximum(middles - edges, 0.0)
            self._fine = _counts(_place(edges, both), len(edges) + 2, blocks, many)
            bins = pooled_edges(ordered.values, bins_for(len(first), len(second)))
            self._bins = _counts(_place(bins, both), len(bins) + 2, blocks, many)
        else:
            both_sides = pl.concat([first.cast(pl.String), second.cast(pl.String)]).rename("value")
            cells = codes(both_sides)
            self._bins = self._fine = _counts(cells, int(cells.max()) + 1, blocks, many)

    def values(self, statistic: str, sides: Floats) -> Floats:
        """The statistic for each way of dealing blocks to the window, shape (deals,)."""
        found = statistic_of(statistic)
        counts = self._bins if found.gaps is None or not len(self._widths) else self._fine
        second = sides @ counts
        first = counts.sum(axis=0) - second
        if found.gaps is None or not len(self._widths):
            return found.counts(first, second)
        gaps = np.cumsum(first / first.sum(axis=1, keepdims=True) - second / second.sum(axis=1, keepdims=True), axis=1)
        # Cell j + 1 begins at edge j: what is below the next edge is known once it is counted.
        return found.gaps(gaps[:, 1:-1], np.append(self._widths[:-1], 1.0) if statistic == "ks" else self._widths)


def _counts(cells: npt.NDArray[np.intp], width: int, blocks: npt.NDArray[np.intp], many: int) -> Floats:
    held = blocks >= 0
    flat = np.bincount(blocks[held] * width + cells[held], minlength=many * width)
    return flat.reshape(many, width).astype(np.float64)


def _place(edges: Floats, values: Floats) -> npt.NDArray[np.intp]:
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), len(edges) + 1).astype(np.intp)


def _ranks(rows: int) -> npt.NDArray[np.intp]:
    if rows <= 2 * _EDGE + _CELLS:
        return np.arange(rows)
    inner = np.linspace(_EDGE, rows - _EDGE - 1, _CELLS).astype(np.intp)
    return np.concatenate([np.arange(_EDGE), inner, np.arange(rows - _EDGE, rows)])


def codes(column: pl.Series) -> npt.NDArray[np.intp]:
    """Frequent categories by their rank, all others as one, nulls as the last."""
    kept = column.drop_nulls().value_counts(sort=True).head(MOST_CATEGORIES)["value"].to_list()
    known = {name: at for at, name in enumerate(sorted(kept))}
    found = column.replace_strict(known, default=len(known), return_dtype=pl.Int64)
    return np.where(column.is_null().to_numpy(), len(known) + 1, found.fill_null(0).to_numpy()).astype(np.intp)
