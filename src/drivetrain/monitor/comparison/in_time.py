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
from drivetrain.monitor.comparison.cells import Cells
from drivetrain.monitor.comparison.columns import is_number, numbers
from drivetrain.monitor.comparison.texts import Measured, Prepared, measure
from drivetrain.monitor.statistics.blocks import block_length
from drivetrain.monitor.statistics.correction import westfall_young
from drivetrain.monitor.texts.dealing import dealt

_DRAWS = 1_999
_WHOLE = 0.5
"""A block with less than this share of the middle one's rows tells too little."""


class Dated(NamedTuple):
    """When rows were.

    Attributes:
        column: The column of moments.
        length: How long blocks are; as long as the reference needs if none.
    """

    column: str
    length: Micros | None = None


class InTime(NamedTuple):
    """What blocks of time say.

    Attributes:
        p_values: Of each column and statistic, alone; columns of texts and vectors come last.
        corrected: The same, corrected for all of them.
        dealt: What chance did, shape (deals, tests).
        length: How long blocks are.
        further: What was measured of each column of texts or vectors.
    """

    p_values: Floats
    corrected: Floats
    dealt: Floats
    length: Micros
    further: list[list[Measured]]


def judge_blocks(
    reference: pl.DataFrame,
    window: pl.DataFrame,
    asked: Iterable[tuple[str, str]],
    texts: Sequence[Prepared],
    dated: Dated,
    seed: int,
) -> InTime:
    """Probabilities of what is seen where blocks of time might have changed sides.

    Args:
        reference: Rows of before.
        window: Rows of now.
        asked: Columns and statistics.
        texts: Columns of texts and vectors.
        dated: The column of moments, and how long blocks are.
        seed: Where the lots come from.

    Raises:
        UsageError: The column is not of times, or fewer than six blocks are left.
    """
    tests = list(asked)
    names = list(dict.fromkeys(name for name, _ in tests))
    ats = [moments(frame, dated.column) for frame in (reference, window)]
    length = dated.length
    if length is None:
        columns_of_numbers = [numbers(reference[name]) for name in names if is_number(reference[name])]
        columns_of_numbers += [along for column in texts for along in column.directions()]
        length = block_length(ats[0], columns_of_numbers, int(np.ptp(ats[1])) + 1)
    blocks, many = blocks_of(ats, length)
    if sum(many) < 6 or not all(many):
        raise UsageError(
            "there are too few blocks of time to tell drift from chance",
            found=f"{many[0]} in the reference, {many[1]} in the window, of {length / HOUR:g} hours",
            expected="six or more",
            do="Give a longer reference, or a shorter block",
        )
    dealing = dealt(blocks, many, _DRAWS, np.random.default_rng(seed))
    columns = {name: Cells(reference[name], window[name], blocks, sum(many)) for name in names}
    found = [columns[name].values(statistic, dealing.sides) for name, statistic in tests]
    further = [measure(column, dealing, seed) for column in texts]
    values = np.column_stack([*found, *(each.dealt for column in further for each in column)])
    return InTime(*westfall_young(values[0], values[1:]), values[1:], length, further)


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
