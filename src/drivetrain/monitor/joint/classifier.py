"""A classifier that tells the window's rows from the reference's: where it can, something has changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from drivetrain.core import plugins
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.joint.folds import JointDifference, rows_of
from drivetrain.monitor.statistics.area import areas_of
from drivetrain.monitor.statistics.permutation import place

_WIDER = math.sqrt(2)
"""How much wider chance is than lots within one fold say.

What one fold's trees learn from another's days, that other's learn from its: both have the same luck, and each pair of
folds counts twice in the mean. Its variance is twice that of folds that know nothing of each other.
"""


def tell_apart(
    reference: pl.DataFrame,
    window: pl.DataFrame,
    *,
    features: Sequence[str] = (),
    time: str | None = None,
    block: str | None = None,
    false_alarm: float = 0.05,
    effect: float = 0.6,
    seed: int = 0,
) -> JointDifference:
    """Boosted trees learn on some blocks whose rows are the window's, and say it of rows in others.

    They see what no feature shows alone, such as two that used to move together. Blocks of each fold are dealt by lot,
    and what trees that never saw them say is held against that, made wider for what folds share.

    Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (2017); Kim, Ramdas, Singh and Wasserman,
    "Classification accuracy as a proxy for two-sample testing" (2021).

    Args:
        reference: Rows of before.
        window: Rows of now.
        features: Look only at these columns.
        time: Column with each row's moment; without, rows are taken to be independent.
        block: How long a block is; by default as long as neighbours resemble each other.
        false_alarm: Probability of drift being said where nothing changed.
        effect: Area under the ROC curve from which on it is worth a word.
        seed: Where the lots come from.

    Raises:
        UsageError: A side has no rows, columns don't fit together, or there are too few blocks.
    """
    rows = rows_of(reference, window, features, time, block, seed)
    scores, gains = plugins.load("apart", "lightgbm")(rows.values, rows.is_window, rows.folds, rows.categories)
    areas = _widened(areas_of(scores, rows.is_window, rows.blocks, rows.folds, np.random.default_rng(seed)))
    value, p_value = float(areas[0]), place(float(areas[0]), areas[1:])
    order = np.argsort(-gains, kind="stable")
    return JointDifference(
        method="classifier",
        value=value,
        effect=effect,
        p_value=p_value,
        drifted=p_value <= false_alarm and value >= effect,
        importance={rows.names[at]: float(gains[at]) for at in order},
        null=rows.null,
    )


def _widened(areas: Floats) -> Floats:
    """Areas as dealt by lot, further from their middle; the first, which is the window's own, stays."""
    middle = areas[1:].mean()
    return np.append(areas[:1], middle + _WIDER * (areas[1:] - middle))
