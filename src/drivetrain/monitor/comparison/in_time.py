"""A comparison of rows in time: blocks of time dealt by lot, all columns together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import HOUR, Micros
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.bins import bins_for, pooled_edges
from drivetrain.monitor.comparison.columns import MOST_CATEGORIES, is_number, numbers
from drivetrain.monitor.comparison.pooled import sorted_of
from drivetrain.monitor.statistics.blocks import block_length, sides
from drivetrain.monitor.statistics.correction import westfall_young
from drivetrain.monitor.statistics.statistic import statistic_of

_DRAWS = 1_999
_CELLS = 96
_EDGE = 24
_WHOLE = 0.5
"""A block with less than this share of the middle one's rows tells too little."""


class InTime(NamedTuple):
    """What blocks of time say.

    Attributes:
        p_values: Of each column and statistic, alone.
        corrected: The same, corrected for all of them.
        dealt: What chance did, shape (deals, tests).
        length: How long blocks are.
    """

    p_values: Floats
    corrected: Floats
    dealt: Floats
    length: Micros


def judge_blocks(
    reference: pl.DataFrame,
    window: pl.DataFrame,
    asked: Iterable[tuple[str, str]],
    time: str,
    length: Micros | None,
    seed: int,
) -> InTime:
    """Probabilities of what is seen where blocks of time might have changed sides.

    Args:
        reference: Rows of before.
        window: Rows of now.
        asked: Columns and statistics.
        time: The column of moments.
        length: How long blocks are; as long as the reference needs if none.
        seed: Where the lots come from.

    Raises:
        UsageError: The column is not of times, or fewer than six blocks are left.
    """
    tests = list(asked)
    names = list(dict.fromkeys(name for name, _ in tests))
    ats = [moments(frame, time) for frame in (reference, window)]
    if length is None:
        columns_of_numbers = [numbers(reference[name]) for name in names if is_number(reference[name])]
        length = block_length(ats[0], columns_of_numbers, int(np.ptp(ats[1])) + 1)
    blocks, many = blocks_of(ats, length)
    if sum(many) < 6 or not all(many):
        raise UsageError(
            "there are too few blocks of time to tell drift from chance",
            found=f"{many[0]} in the reference, {many[1]} in the window, of {length / HOUR:g} hours",
            expected="six or more",
            do="Give a longer reference, or a shorter block",
        )
    dealt = sides(*many, _DRAWS, np.random.default_rng(seed))
    seen = np.concatenate([np.zeros(many[0]), np.ones(many[1])])
    whole = np.vstack([seen, dealt])
    columns = {name: _Column(reference[name], window[name], blocks, sum(many)) for name in names}
    values = np.column_stack([columns[name].values(statistic, whole) for name, statistic in tests])
    return InTime(*westfall_young(values[0], values[1:]), values[1:], length)


class _Column:
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


def moments(frame: pl.DataFrame, time: str) -> npt.NDArray[np.int64]:
    """Each row's moment, microseconds.

    Raises:
        UsageError: The column is not of times, or lacks some.
    """
    if time not in frame.columns or not (frame[time].dtype.is_integer() or frame[time].dtype == pl.Datetime):
        raise UsageError(
            f"rows have no moments in {time!r}",
            found=str(frame[time].dtype) if time in frame.columns else "no such column",
            expected="a column of times, or of microseconds",
        )
    column = frame[time]
    plain = column.dt.epoch("us") if column.dtype == pl.Datetime else column.cast(pl.Int64)
    if plain.null_count():
        raise UsageError(f"{plain.null_count():,} rows have no moment in {time!r}", do="Leave them out")
    return plain.to_numpy()


def blocks_of(ats: Sequence[npt.NDArray[np.int64]], length: Micros) -> tuple[npt.NDArray[np.intp], tuple[int, int]]:
    """Block of each row, the reference's first; -1 in those that hold too few. And how many each side has.

    Args:
        ats: Moments of the reference's rows, and of the window's.
        length: How long a block is.
    """
    found, many, before = [], [], 0
    for side in ats:
        place = np.unique((side - side.min()) // length, return_inverse=True)[1]
        rows = np.bincount(place)
        whole = rows >= _WHOLE * np.median(rows)
        number = np.where(whole, np.cumsum(whole) - 1 + before, -1)
        found.append(number[place])
        many.append(int(whole.sum()))
        before += many[-1]
    return np.concatenate(found), (many[0], many[1])


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
