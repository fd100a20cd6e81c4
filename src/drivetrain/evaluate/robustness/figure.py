"""One metric with its replicates, on rows that may count unequally."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.bootstrap import Draws, Resamples
from drivetrain.evaluate.metrics import log_losses
from drivetrain.evaluate.ranking import Floats, Ranking

KNOWN = ("average_precision", "roc_auc", "log_loss", "brier")
"""Metrics that can be told of weighted rows."""


def figure_of(
    metric: str, labels: Floats, predictions: Floats, resamples: Resamples, weights: Floats | None = None
) -> Draws:
    """A metric's value and replicates.

    Args:
        metric: One of :data:`KNOWN`.
        labels: 0 or 1, shape (n,).
        predictions: Probabilities, shape (n,).
        resamples: Draws over the same rows.
        weights: How much each row counts, shape (n,); alike by default.
    """
    if metric in {"log_loss", "brier"}:
        losses = log_losses(labels, predictions) if metric == "log_loss" else (predictions - labels) ** 2
        weight = np.ones(len(labels)) if weights is None else weights
        below = resamples.sums(weight)[:, 0]
        above = resamples.sums(weight * losses)[:, 0]
        every = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    else:
        ranking = Ranking(labels, predictions)
        codes = resamples.codes[ranking.order]
        scale = None if weights is None else weights[ranking.order]
        at = 0 if metric == "average_precision" else 1

        def area(counts: np.ndarray | None) -> float:
            drawn = np.ones(len(labels), np.int64) if counts is None else np.take(counts, codes)
            return ranking.areas(drawn if scale is None else drawn * scale)[at]

        every = np.array([area(None), *map(area, resamples.counts)])
    return Draws(float(every[0]), every[1:], len(labels), resamples.blocks)
