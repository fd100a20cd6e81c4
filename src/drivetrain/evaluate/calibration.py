"""What was predicted against what came, over groups of equal size by prediction."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import CalibrationBin
from drivetrain.evaluate.bootstrap import Draws, Resamples
from drivetrain.evaluate.metrics import BINS, METRICS, groups_of
from drivetrain.evaluate.ranking import Floats


def calibration(labels: Floats, predictions: Floats, resamples: Resamples) -> tuple[CalibrationBin, ...]:
    """The reliability of a model's probabilities.

    Args:
        labels: 0 or 1, shape (n,).
        predictions: Probabilities, shape (n,).
        resamples: Draws over the same rows.

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
                observed=draws.measure(METRICS["base_rate"], resamples.level),
            )
        )
    return tuple(bins)
