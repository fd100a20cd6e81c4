"""Metrics of predicted probabilities: what each is called, which way is better, and its value on weighted rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.core.records.task import Task
from drivetrain.evaluate.metrics.answers import Answers, check_probabilities, check_shape
from drivetrain.evaluate.metrics.metric import BINS, Metric
from drivetrain.evaluate.metrics.over import Over, totals
from drivetrain.evaluate.ranking import Floats, Ranking

AT_RATE = "average_precision_at_reference_rate"
"""Average precision had the base rate been another's: what is left of a change once fewer positives are set aside."""

_CLIP = 1e-15

METRICS: Sequence[Metric] = (
    Metric("average_precision", "average precision", "greater", "share", "precision averaged over recall"),
    Metric("roc_auc", "ROC AUC", "greater", "share", "chance that a positive is ranked above a negative"),
    Metric("log_loss", "log loss", "lower", "positive", "mean surprise at what came, in nats"),
    Metric("brier", "Brier score", "lower", "share", "mean squared distance of prediction from outcome"),
    Metric("ece", "calibration error", "lower", "share", "mean distance of predicted from observed share"),
    Metric("base_rate", "base rate", "neither", "share", "share of positives"),
    Metric("mean_prediction", "mean prediction", "neither", "share", "mean of the predictions"),
    Metric("calibration_gap", "calibration gap", "zero", "line", "mean prediction minus base rate"),
)


def figures(answers: Answers, over: Over, *, rate: float | None = None) -> dict[str, Floats]:
    """Every metric of probabilities of a yes.

    Args:
        answers: Labels of 0 or 1, and probabilities.
        over: What to sum over.
        rate: Base rate at which average precision is told once more, under the name :data:`AT_RATE`.

    Returns:
        Name → its value under each weighting; NaN where it has none.
    """
    labels, predictions = answers.labels, answers.predictions
    weight = totals(over, answers.rows)
    positives = over.sums(labels)[:, 0]
    predicted = over.sums(predictions)[:, 0]
    gaps = over.sums(predictions - labels, groups_of(predictions), BINS)
    ranking = Ranking(labels, predictions)
    areas = np.array([ranking.areas_by_row(weights, rate) for weights in over.each()])
    found = {
        "average_precision": areas[:, 0],
        "roc_auc": areas[:, 1],
        "log_loss": over.sums(log_losses(labels, predictions))[:, 0] / weight,
        "brier": over.sums((predictions - labels) ** 2)[:, 0] / weight,
        "ece": np.abs(gaps).sum(axis=1) / weight,
        "base_rate": positives / weight,
        "mean_prediction": predicted / weight,
        "calibration_gap": (predicted - positives) / weight,
    }
    return found if rate is None else found | {AT_RATE: areas[:, 2]}


def check(answers: Answers, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows, lengths differ, a label is not 0 or 1, or a prediction is no probability.
    """
    check_shape(answers, whose)
    odd = answers.labels[(answers.labels != 0.0) & (answers.labels != 1.0)]
    if len(odd):
        raise TrainingError(f"{whose} can't be evaluated", found=f"a label of {odd[0]}", expected="labels of 0 or 1")
    check_probabilities(answers.predictions, whose)


def check_rows(labels: Floats, predictions: Floats, whose: str) -> None:
    """As :func:`check`."""
    check(Answers(labels, predictions, Task()), whose)


def average_precision(labels: Floats, predictions: Floats, weights: Floats | None = None) -> float:
    """Area under precision over recall, as a step sum; NaN without a positive or without a negative.

    Example:
        >>> round(average_precision(np.array([0.0, 1, 0, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
        1.0
    """
    ranking = Ranking(labels, predictions)
    return ranking.areas(_weights(labels, weights)[ranking.order]).average_precision


def roc_auc(labels: Floats, predictions: Floats, weights: Floats | None = None) -> float:
    """Share of (positive, negative) pairs in the right order, ties half; NaN without either class."""
    ranking = Ranking(labels, predictions)
    return ranking.areas(_weights(labels, weights)[ranking.order]).roc_auc


def log_loss(labels: Floats, predictions: Floats, weights: Floats | None = None) -> float:
    """Mean of minus ln of the probability given to what came; probabilities are clipped to 1e-15 from the ends."""
    return float(np.average(log_losses(labels, predictions), weights=_weights(labels, weights)))


def brier(labels: Floats, predictions: Floats, weights: Floats | None = None) -> float:
    """Mean of (prediction - outcome)²."""
    return float(np.average((predictions - labels) ** 2, weights=_weights(labels, weights)))


def ece(labels: Floats, predictions: Floats, weights: Floats | None = None) -> float:
    """Expected calibration error: over groups of equal size by prediction, |mean prediction - share of positives|."""
    weight = _weights(labels, weights)
    group = groups_of(predictions)
    gap = np.bincount(group, weights=weight * (predictions - labels), minlength=BINS)
    return float(np.abs(gap).sum() / weight.sum())


def log_losses(labels: Floats, predictions: Floats) -> Floats:
    """Each row's minus ln of the probability given to what came."""
    sure = np.clip(predictions, _CLIP, 1.0 - _CLIP)
    return -np.log(np.where(labels > 0.5, sure, 1.0 - sure))


def groups_of(predictions: Floats, groups: int = BINS) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Which of ``groups`` groups of about equal size each row falls into by its prediction; ties stay together."""
    if not len(predictions):
        return np.empty(0, np.intp)
    edges = np.unique(np.quantile(predictions, np.linspace(0, 1, groups + 1)[1:-1]))
    return np.searchsorted(edges, predictions, side="left").astype(np.intp)


def _weights(labels: Floats, weights: Floats | None) -> Floats:
    return np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
