"""Every metric of one vector of predictions, with its replicates."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import Comparison, Measure
from drivetrain.evaluate.bootstrap import Draws, Resamples, difference
from drivetrain.evaluate.metrics import BINS, METRICS, defined, groups_of, log_losses
from drivetrain.evaluate.ranking import Floats, Ranking

AT_RATE = "average_precision_at_reference_rate"
"""Average precision had the base rate been another's: what is left of a change once fewer positives are set aside."""


def resample(
    labels: Floats, predictions: Floats, resamples: Resamples, *, rate: float | None = None
) -> dict[str, Draws]:
    """Values and replicates of every metric that these rows define.

    Args:
        labels: 0 or 1, shape (n,).
        predictions: Probabilities, shape (n,).
        resamples: Draws over the same rows.
        rate: Base rate at which average precision is told once more, under the name :data:`AT_RATE`.

    Returns:
        Name of the metric → its draws; average precision and ROC AUC are left out where only one class is there.
    """
    rows = len(labels)
    weight = resamples.sums(np.ones(rows))[:, 0]
    weight[weight == 0] = np.nan
    positives = resamples.sums(labels)[:, 0]
    predicted = resamples.sums(predictions)[:, 0]
    gaps = resamples.sums(predictions - labels, groups_of(predictions), BINS)
    figures = {
        "log_loss": resamples.sums(log_losses(labels, predictions))[:, 0] / weight,
        "brier": resamples.sums((predictions - labels) ** 2)[:, 0] / weight,
        "ece": np.abs(gaps).sum(axis=1) / weight,
        "base_rate": positives / weight,
        "mean_prediction": predicted / weight,
        "calibration_gap": (predicted - positives) / weight,
    }
    ranking = Ranking(labels, predictions)
    codes = resamples.codes[ranking.order]
    areas = np.array(
        [
            ranking.areas(np.ones(rows, np.int64), rate),
            *(ranking.areas(np.take(counts, codes), rate) for counts in resamples.counts),
        ]
    )
    figures = {"average_precision": areas[:, 0], "roc_auc": areas[:, 1]} | figures
    if rate is not None:
        figures[AT_RATE] = areas[:, 2]
    return {
        name: Draws(float(every[0]), every[1:], rows, resamples.blocks)
        for name, every in figures.items()
        if defined(float(every[0]))
    }


def measures(draws: dict[str, Draws], level: float) -> dict[str, Measure]:
    """Each metric with its interval."""
    return {
        name: every.measure(METRICS["average_precision" if name == AT_RATE else name], level)
        for name, every in draws.items()
    }


def comparisons(ours: dict[str, Draws], theirs: dict[str, Draws], against: str, level: float) -> list[Comparison]:
    """Paired differences of every metric for which one way is better."""
    return [
        Comparison(
            metric=name,
            against=against,
            ours=draws.value,
            theirs=theirs[name].value,
            difference=_difference(difference(draws, theirs[name], METRICS[name]), level),
        )
        for name, draws in ours.items()
        if name in theirs and name in METRICS and METRICS[name].better in {"greater", "lower"}
    ]


def _difference(draws: Draws, level: float) -> Measure:
    bounds = draws.interval("line", level)
    low, high = bounds if bounds is not None else (None, None)
    return Measure(draws.value, low, high, draws.count, level)
