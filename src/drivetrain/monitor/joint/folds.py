"""Rows of both sides as one matrix, in blocks that are judged by what was learned from other blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import HOUR, duration
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.cells import codes
from drivetrain.monitor.comparison.columns import is_number, numbers, shared
from drivetrain.monitor.comparison.in_time import blocks_of, moments
from drivetrain.monitor.statistics.area import FOLDS
from drivetrain.monitor.statistics.blocks import block_length

_GROUPS = 40
"""Groups of rows a side where rows are independent: as good as blocks, and dealt as quickly."""
_MOST = 20_000
"""Rows a side that are looked at."""


class JointDifference(msgspec.Struct, frozen=True, kw_only=True):
    """How far both sides are apart over all features.

    Attributes:
        method: ``classifier`` or ``reconstruction``.
        value: Area under the ROC curve of what tells sides apart, .5 where nothing does; or by which share rows are
            rebuilt worse.
        effect: The value from which on it is worth a word.
        p_value: Probability that chance alone does as much.
        drifted: Whether it is worth a word and chance does not explain it.
        importance: Feature → its share in telling sides apart, greatest first; of reconstruction, in the change of
            what is not rebuilt.
        null: What was dealt by lot.
    """

    method: str
    value: float
    effect: float
    p_value: float
    drifted: bool
    importance: dict[str, float]
    null: str


class Rows(NamedTuple):
    """Rows of both sides.

    Attributes:
        names: Features.
        values: Numbers as they are, categories as codes, nulls NaN; shape (rows, features), the reference's first.
        categories: Which columns hold codes.
        is_window: Whose row each is.
        blocks: Block of each.
        folds: Fold of each; blocks are whole, and each fold has of both sides.
        null: What a block is, in words.
    """

    names: tuple[str, ...]
    values: Floats
    categories: tuple[int, ...]
    is_window: npt.NDArray[np.bool_]
    blocks: npt.NDArray[np.intp]
    folds: npt.NDArray[np.intp]
    null: str


def rows_of(
    reference: pl.DataFrame,
    window: pl.DataFrame,
    features: Sequence[str],
    time: str | None,
    block: str | None,
    seed: int,
) -> Rows:
    """Makes both frames ready.

    Raises:
        UsageError: A side has no rows, columns don't fit together, or there are fewer blocks of a side than folds.
    """
    random = np.random.default_rng(seed)
    names = [name for name in shared(reference, window, tuple(features)) if name != time]
    reference, window = (_thinned(frame, random) for frame in (reference, window))
    columns, coded = [], []
    for at, name in enumerate(names):
        first, second = reference[name], window[name]
        if is_number(first):
            columns.append(np.concatenate([numbers(first), numbers(second)]))
            continue
        found = codes(pl.concat([first.cast(pl.String), second.cast(pl.String)]).rename("value")).astype(np.float64)
        columns.append(found)
        coded.append(at)
    values = np.column_stack(columns)
    values[~np.isfinite(values)] = np.nan
    sides = np.repeat([False, True], [reference.height, window.height])
    if time is None:
        blocks = random.integers(0, _GROUPS, len(values)) + np.where(sides, _GROUPS, 0)
        many, null = (_GROUPS, _GROUPS), "rows"
    else:
        ats = [moments(frame, time) for frame in (reference, window)]
        if block is None:
            kept = [values[: reference.height, at] for at in range(len(names)) if at not in coded]
            length = block_length(ats[0], kept, int(np.ptp(ats[1])) // FOLDS + 1)
        else:
            length = duration(block)
        blocks, many = blocks_of(ats, length)
        null = f"blocks of {length / HOUR:g} hours"
    if min(many) < FOLDS:
        raise UsageError(
            "there are too few blocks to learn from some and judge by others",
            found=f"{many[0]} in the reference, {many[1]} in the window",
            expected=f"{FOLDS} or more of each",
            do="Give a longer window, or a shorter block",
        )
    held = blocks >= 0
    # Blocks are numbered from the reference's first to the window's last: folds take turns on each side.
    number = np.where(blocks < many[0], blocks, blocks - many[0])
    return Rows(tuple(names), values[held], tuple(coded), sides[held], blocks[held], number[held] % FOLDS, null)


def _thinned(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    if frame.height <= _MOST:
        return frame
    return frame.select(pl.all().gather(np.sort(random.choice(frame.height, _MOST, replace=False))))
