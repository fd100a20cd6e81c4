"""Metrics of predicted numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.evaluate.metrics.answers import Answers, check_finite, check_shape
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.metrics.over import Over, ratio, totals
from drivetrain.evaluate.ranking import Floats, Weights

WITHIN = (10, 20)
"""Per cent of the label that a prediction may be off by."""

METRICS: Sequence[Metric] = (
    Metric("mae", "mean absolute error", "lower", "positive", "mean distance of prediction from label"),
    Metric("rmse", "root mean squared error", "lower", "positive", "root of the mean squared distance"),
    Metric("r2", "R²", "greater", "line", "share of the labels' variance that is explained"),
    Metric("median_ae", "median absolute error", "lower", "positive", "distance that half of the predictions keep"),
    Metric("mean_error", "mean error", "zero", "line", "bias: mean of prediction minus label"),
    *(
        Metric(f"within_{share}_percent", f"within {share} %", "greater", "share",
               f"share of predictions off by at most {share} % of the label")
        for share in WITHIN
    ),
    Metric("pinball", "pinball loss", "lower", "positive", "mean loss of a quantile; at one half, half the distance"),
    Metric("mean_predicted", "mean prediction", "neither", "line", "mean of the predictions"),
    Metric("mean_observed", "mean label", "neither", "line", "mean of the labels"),
)  # fmt: skip


def figures(answers: Answers, over: Over) -> dict[str, Floats]:
    """Every metric of a number.

    Args:
        answers: Labels and predictions, numbers.
        over: What to sum over.

    Returns:
        Name → its value under each weighting; NaN where it has none (R² of labels that are all the same).
    """
    labels, predictions = answers.labels, answers.predictions
    weight = totals(over, answers.rows)
    error = predictions - labels
    apart = np.abs(error)
    centred = labels - labels.mean()
    spread = over.sums(centred**2)[:, 0] - over.sums(centred)[:, 0] ** 2 / weight
    squared = over.sums(error**2)[:, 0]
    mae = over.sums(apart)[:, 0] / weight
    order = np.argsort(apart, kind="stable")
    medians = [_median(apart[order], weights[order]) for weights in over.each()]
    # Of labels that hardly differ, rounding leaves a spread of the size of their squares' last digits.
    floor = 1e-12 * max(float(np.square(labels).sum()), 1e-300)
    return {
        "mae": mae,
        "rmse": np.sqrt(squared / weight),
        "r2": 1.0 - ratio(squared, np.where(spread > floor, spread, 0.0)),
        "median_ae": np.array(medians),
        "mean_error": over.sums(error)[:, 0] / weight,
        **{
            f"within_{share}_percent": over.sums((apart <= share / 100 * np.abs(labels)).astype(np.float64))[:, 0]
            / weight
            for share in WITHIN
        },
        "pinball": mae / 2,
        "mean_predicted": over.sums(predictions)[:, 0] / weight,
        "mean_observed": over.sums(labels)[:, 0] / weight,
    }


def check(answers: Answers, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows, shapes differ, or a label or a prediction is not finite.
    """
    check_shape(answers, whose)
    check_finite(answers.labels, whose, "labels")
    check_finite(answers.predictions, whose, "predictions")


def _median(rising: Floats, weights: Weights) -> float:
    """The weighted median: of whole weights, that of the rows repeated."""
    through = np.cumsum(weights)
    half = float(through[-1]) / 2
    if half <= 0:
        return float("nan")
    low, high = int(np.searchsorted(through, half, side="left")), int(np.searchsorted(through, half, side="right"))
    return float(rising[low] + rising[min(high, len(rising) - 1)]) / 2
