"""Metrics of predicted quantiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.metrics.answers import Answers, check_finite, check_shape
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.metrics.over import Over, totals
from drivetrain.evaluate.ranking import Floats

METRICS: Sequence[Metric] = (
    Metric("pinball", "pinball loss", "lower", "positive", "mean loss of the quantiles, averaged over the levels"),
    Metric("crossing", "crossing", "lower", "share", "share of rows in which a higher quantile lies below a lower one"),
)

AT_LEVELS: Sequence[Metric] = (
    Metric("pinball", "pinball loss", "lower", "positive", "mean loss of the quantile"),
    Metric("coverage", "coverage", "neither", "share", "share of labels at or below the quantile"),
    Metric("interval_coverage", "interval coverage", "neither", "share", "share of labels between both quantiles"),
    Metric("interval_width", "interval width", "lower", "positive", "mean distance of both quantiles"),
)
"""Those told at each level, ``pinball@0.9``, and at what two levels hold between them, ``interval_coverage@0.8``."""


def figures(answers: Answers, over: Over) -> dict[str, Floats]:
    """Every metric of quantiles (pinball loss: Koenker and Bassett, 1978).

    Args:
        answers: Labels, and predictions of shape (n, levels).
        over: What to sum over.

    Returns:
        Name → its value under each weighting.
    """
    labels, said = answers.labels[:, None], answers.predictions
    levels = np.array(answers.task.levels)
    weight = totals(over, answers.rows)

    def mean(values: npt.ArrayLike) -> Floats:
        return over.sums(np.ascontiguousarray(values, np.float64))[:, 0] / weight

    loss = np.maximum(levels * (labels - said), (levels - 1) * (labels - said))
    below = labels <= said
    found = {"pinball": mean(loss.mean(axis=1)), "crossing": mean((np.diff(said, axis=1) < 0).any(axis=1))}
    for at, level in enumerate(answers.task.levels):
        found[f"pinball@{level:g}"] = mean(loss[:, at])
        found[f"coverage@{level:g}"] = mean(below[:, at])
    for low, high, share in intervals(answers.task.levels):
        inside = (answers.labels >= said[:, low]) & (answers.labels <= said[:, high])
        found[f"interval_coverage@{share:g}"] = mean(inside)
        found[f"interval_width@{share:g}"] = mean(np.abs(said[:, high] - said[:, low]))
    return found


def intervals(levels: Sequence[float]) -> Iterator[tuple[int, int, float]]:
    """Pairs of levels with as much below as above, and what lies between them.

    Example:
        >>> list(intervals((0.1, 0.5, 0.9)))
        [(0, 2, 0.8)]
    """
    for low, level in enumerate(levels):
        for high in range(low + 1, len(levels)):
            if abs(level + levels[high] - 1.0) < 1e-9:
                yield low, high, round(levels[high] - level, 9)


def check(answers: Answers, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows, shapes differ, or a label or a prediction is not finite.
    """
    check_shape(answers, whose)
    check_finite(answers.labels, whose, "labels")
    check_finite(answers.predictions.ravel(), whose, "predictions")
