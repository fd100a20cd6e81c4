"""Metrics of predicted probabilities: what each is called, which way is better, and its value on weighted rows."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np

from drivetrain.core.errors import TrainingError, UnknownName
from drivetrain.evaluate.ranking import Floats, Ranking

BINS = 10
"""Groups of equal size by prediction over which calibration error is summed."""
_CLIP = 1e-15


class Metric(msgspec.Struct, frozen=True):
    """A figure that describes predictions against labels."""

    name: str
    title: str
    better: Literal["greater", "lower", "zero", "neither"]
    scale: Literal["share", "positive", "line"]
    """Where values live: between 0 and 1, above 0, or anywhere; intervals respect it."""
    meaning: str

    def gain(self, ours: float, theirs: float) -> float:
        """How much better ``ours`` is than ``theirs``; negative if worse."""
        if self.better == "greater":
            return ours - theirs
        return abs(theirs) - abs(ours) if self.better == "zero" else theirs - ours


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("average_precision", "average precision", "greater", "share", "precision averaged over recall"),
        Metric("roc_auc", "ROC AUC", "greater", "share", "chance that a positive is ranked above a negative"),
        Metric("log_loss", "log loss", "lower", "positive", "mean surprise at what came, in nats"),
        Metric("brier", "Brier score", "lower", "share", "mean squared distance of prediction from outcome"),
        Metric("ece", "calibration error", "lower", "share", "mean distance of predicted from observed share"),
        Metric("base_rate", "base rate", "neither", "share", "share of positives"),
        Metric("mean_prediction", "mean prediction", "neither", "share", "mean of the predictions"),
        Metric("calibration_gap", "calibration gap", "zero", "line", "mean prediction minus base rate"),
    )
}
"""Every metric of a probability of a yes or no, by name."""


def metric_of(name: str) -> Metric:
    """The metric that goes by a name.

    Raises:
        UnknownName: None does.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise UnknownName(f"no metric is called {name!r}", expected=", ".join(METRICS)) from None


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


def check_rows(labels: Floats, predictions: Floats, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows, lengths differ, a label is not 0 or 1, or a prediction is no probability.
    """
    if not len(labels):
        raise TrainingError(f"{whose} can't be evaluated: there are no labelled rows", do="Widen the test window")
    if len(labels) != len(predictions):
        raise TrainingError(
            f"{whose} can't be evaluated", found=f"{len(predictions)} predictions", expected=len(labels)
        )
    odd = labels[(labels != 0.0) & (labels != 1.0)]
    if len(odd):
        raise TrainingError(f"{whose} can't be evaluated", found=f"a label of {odd[0]}", expected="labels of 0 or 1")
    wrong = predictions[~((predictions >= 0.0) & (predictions <= 1.0))]
    if len(wrong):
        raise TrainingError(
            f"{whose} can't be evaluated",
            found=f"{len(wrong)} predictions outside 0 to 1, the first {wrong[0]}",
            expected="probabilities",
        )


def defined(value: float) -> bool:
    """Whether a figure says anything: records hold no NaN and no infinity."""
    return math.isfinite(value)


def _weights(labels: Floats, weights: Floats | None) -> Floats:
    return np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
