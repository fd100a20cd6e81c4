"""Performance on arrived labels, and whether it surely differs from what the version's evaluation promised."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.measures import measures, resample, resample_answers
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.metrics.answers import Answers


def measure_performance(
    answers: Answers,
    ats: npt.NDArray[np.int64],
    *,
    reference: dict[str, Measure] | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, Measure]:
    """Every metric of a window, with intervals by blocks of days.

    Args:
        answers: What was said, and what came; no rows, no metrics.
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        reference: The version's metrics when it was evaluated; average precision is told at its base rate as well.
        bootstrap: How intervals are made; a window of fewer than four days gets none.
    """
    labels, kind = answers.labels, answers.task.kind
    if not answers.rows or (kind in {"ranking", "multilabel"} and not (labels > 0).any()):
        return {}
    if kind != "binary":
        return measures(resample_answers(answers, draw(ats, bootstrap)), bootstrap.level, kind)
    base = (reference or {}).get("base_rate")
    rate = base.value if base is not None and 0 < base.value < 1 else None
    return measures(resample(labels, answers.predictions, draw(ats, bootstrap), rate=rate), bootstrap.level)


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
