"""Performance on arrived labels, and whether it surely differs from what the version's evaluation promised."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure, Task, TaskKind
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.measures import measures, resample, resample_answers
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats

MEASURED: tuple[TaskKind, ...] = ("binary", "regression", "quantile")
"""Kinds whose labels are told by a number when they come back."""


def measure_performance(
    labels: Floats,
    predictions: Floats,
    ats: npt.NDArray[np.int64],
    *,
    reference: dict[str, Measure] | None = None,
    task: Task = Task(),
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, Measure]:
    """Every metric of a window, with intervals by blocks of days.

    Args:
        labels: 0 or 1, or numbers, shape (n,).
        predictions: Probabilities or numbers, shape (n,); quantiles (n, levels).
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        reference: The version's metrics when it was evaluated; average precision is told at its base rate as well.
        task: What answers tell. Labels that come back are numbers: of classes and orders nothing is measured.
        bootstrap: How intervals are made; a window of fewer than four days gets none.
    """
    if not len(labels) or task.kind not in MEASURED:
        return {}
    if task.kind != "binary":
        said = predictions.reshape(len(labels), -1) if task.levels else predictions
        draws = resample_answers(Answers(labels, said, task), draw(ats, bootstrap))
        return measures(draws, bootstrap.level, task.kind)
    base = (reference or {}).get("base_rate")
    rate = base.value if base is not None and 0 < base.value < 1 else None
    return measures(resample(labels, predictions, draw(ats, bootstrap), rate=rate), bootstrap.level)


def worsening(metric: str, now: Measure, then: Measure) -> Measure | None:
    """How much worse a metric is than it was; positive is worse.

    Returns:
        The change with an interval that holds the uncertainty of both sides (MOVER; Zou and Donner 2008), or none where
        either has no interval.
    """
    if now.low is None or now.high is None or then.low is None or then.high is None:
        return None
    value = METRICS[metric].gain(then.value, now.value)
    best, worst = (now.high, now.low) if METRICS[metric].better == "greater" else (now.low, now.high)
    least, most = (then.low, then.high) if METRICS[metric].better == "greater" else (then.high, then.low)
    low = value - math.hypot(best - now.value, then.value - least)
    high = value + math.hypot(now.value - worst, most - then.value)
    return Measure(value, low, high, now.count, now.level)
