"""What was predicted against what came, over groups of equal size by prediction."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import CalibrationBin
from drivetrain.evaluate.bootstrap import Draws, Resamples
from drivetrain.evaluate.metrics import BINS, SETS, Metric, groups_of, metric_of
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats

_SHARE = metric_of("base_rate")


def calibration_of(answers: Answers, resamples: Resamples) -> tuple[CalibrationBin, ...]:
    """The reliability of answers of any kind; nothing of several labels and of orders.

    See :class:`CalibrationBin` for what is set beside what. Of a number, groups are made by prediction, and the means
    of predictions and labels compared.
    """
    kind, labels, said = answers.task.kind, answers.labels, answers.predictions
    if kind == "binary":
        return calibration(labels, said, resamples)
    if kind == "multiclass":
        hit = (said.argmax(axis=1) == labels.astype(np.intp)).astype(np.float64)
        return calibration(hit, said.max(axis=1), resamples)
    if kind == "regression":
        return calibration(labels, said, resamples, metric_of("mean_observed"))
    return _coverage(answers, resamples) if kind == "quantile" else ()


def _coverage(answers: Answers, resamples: Resamples) -> tuple[CalibrationBin, ...]:
    found = SETS["quantile"].figures(answers, resamples)
    bins = []
    for level in answers.task.levels:
        share = found[f"coverage@{level:g}"]
        draws = Draws(float(share[0]), share[1:], answers.rows, resamples.blocks)
        bins.append(CalibrationBin(level, level, answers.rows, level, draws.measure(_SHARE, resamples.level)))
    return tuple(bins)


def calibration(
    labels: Floats, predictions: Floats, resamples: Resamples, observed: Metric = _SHARE
) -> tuple[CalibrationBin, ...]:
    """The reliability of a model's probabilities.

    Args:
        labels: 0 or 1, shape (n,).
        predictions: Probabilities, shape (n,).
        resamples: Draws over the same rows.
        observed: What the mean of the labels is, on whose scale its interval lies: a share, or a number.

    Returns:
        At most ten groups in order of prediction, fewer where many predictions are equal; the share observed carries an
        interval by blocks.
    """
    group = groups_of(predictions)
    positives = resamples.sums(labels, group, BINS)
    rows = resamples.sums(np.ones(len(labels)), group, BINS)
    predicted = resamples.sums(predictions, group, BINS)[0]
    bins = []
    for at in np.unique(group):
        inside = group == at
        count = rows[:, at]
        share = np.divide(positives[:, at], count, out=np.full(len(count), np.nan), where=count > 0)
        draws = Draws(float(share[0]), share[1:], int(inside.sum()), resamples.among(inside).blocks)
        bins.append(
            CalibrationBin(
                low=float(predictions[inside].min()),
                high=float(predictions[inside].max()),
                count=int(inside.sum()),
                predicted=float(predicted[at] / count[0]),
                observed=draws.measure(observed, resamples.level),
            )
        )
    return tuple(bins)
