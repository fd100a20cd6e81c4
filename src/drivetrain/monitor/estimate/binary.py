"""Confidence-based performance estimation (CBPE) of a yes or no, with an interval for what labels will show.

Each row's probability, corrected by what such probabilities turned out to mean when the version was evaluated, says
how likely it is to come true, and every metric has an expectation over that (Kubicki and Białek, NannyML, 2022). The
interval holds three things apart: how well that correction is known (evaluation days drawn anew), what days share (a
shock of the size that the evaluation's days show), and the luck of the labels. It is where the real figure should
fall.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bootstrap import Draws
from drivetrain.evaluate.metrics import defined
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.calibration import Calibration, Curves
from drivetrain.monitor.estimate.expected import Ordered, metric_named

REPLICATES = 200
SAMPLED = 2_048
"""Rows on which the spread is found; of more, the luck of labels shrinks with the root of how many more there are."""


def estimate_binary(
    calibration: Calibration,
    predictions: Floats,
    days: npt.NDArray[np.int64],
    *,
    threshold: float = 0.5,
    rate: float | None = None,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Measure]:
    """Every metric that probabilities tell of without labels.

    Args:
        calibration: What came of the version's probabilities when it was evaluated.
        predictions: Probabilities of the window, shape (n,); none missing.
        days: Day of each, shape (n,).
        threshold: From which on a prediction is acted on.
        rate: Base rate at which average precision is told once more; not by default.
        level: Coverage of the intervals.
        replicates: How often everything uncertain is drawn.
        seed: Of the draws.

    Returns:
        Name → its estimate; nothing for no rows. Without four blocks of evaluation days, or replicates, it has no
        interval.
    """
    if not len(predictions):
        return {}
    curves = calibration.curves(replicates, seed)
    ordered = Ordered(predictions, threshold)
    values = ordered.figures(curves.shares(ordered.scores), rate)
    random = np.random.default_rng(seed + 1)
    rows = len(predictions)
    picked = np.sort(random.choice(rows, SAMPLED, replace=False)) if rows > SAMPLED else np.arange(rows)
    part = Ordered(predictions[picked], threshold)
    shared = shared_by_days(days[picked][part.order], calibration.shocks(replicates, random), random)
    apart = _apart(curves, (part, rate), shared, random, rows)
    found: dict[str, Measure] = {}
    for name, value in values.items():
        if defined(float(value[0])):
            draws = Draws(float(value[0]), float(value[0]) + apart[name], rows, calibration.blocks)
            found[name] = wide(draws.measure(metric_named(name), level), draws.replicates)
    return found


def wide(measure: Measure, replicates: Floats) -> Measure:
    """An interval that holds as many of the replicates as it says: those of few positives are skewed and lumpy."""
    there = replicates[np.isfinite(replicates)]
    if measure.low is None or measure.high is None or not len(there):
        return measure
    outside = (1 - measure.level) / 2
    low, high = np.quantile(there, [outside, 1 - outside])
    return msgspec.structs.replace(measure, low=min(measure.low, float(low)), high=max(measure.high, float(high)))


def shared_by_days(days: npt.NDArray[np.int64], shocks: Floats, random: np.random.Generator) -> Floats:
    """What the rows of a day share in each replicate, in log odds, shape (replicates, n)."""
    _, day = np.unique(days, return_inverse=True)
    return (shocks[:, None] * random.normal(0.0, 1.0, (len(shocks), int(day.max()) + 1)))[:, day]


def _apart(
    curves: Curves,
    asked: tuple[Ordered, float | None],
    shared: Floats,
    random: np.random.Generator,
    rows: int,
) -> dict[str, Floats]:
    """How far each replicate's figures lie from those expected, at the size of the whole window."""
    part, rate = asked
    middle = part.figures(curves.shares(part.scores), rate)
    chance = curves.shares(part.scores, slice(1, None), shared)
    likely = part.figures(chance, rate)
    came = part.figures((random.random(chance.shape) < chance).astype(np.float64), rate)
    shrunk = math.sqrt(len(part.scores) / rows)
    return {name: likely[name] - middle[name] + (came[name] - likely[name]) * shrunk for name in middle}
