"""Estimates from the evaluation's rows, weighted like the window's: what probabilities mean there may differ.

Where inputs shift, rows of the same score need not come true as often as they did: NannyML calls this correction PAPE
(Białek, Kuberski, Perrakis and Bifet, 2024). It needs rows of the evaluation that are like the window's; how many
there are is what :attr:`Ratio.effective` says, and with few of them nothing is estimated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bootstrap import Draws
from drivetrain.evaluate.metrics import metric_of
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.binary import estimate_binary
from drivetrain.monitor.estimate.calibration import observe
from drivetrain.monitor.estimate.keeping import Kept
from drivetrain.monitor.estimate.multiclass import estimate_multiclass

_REPLICATES = 200


def estimate_weighted(
    kept: Kept, weights: Floats, predictions: Floats, days: npt.NDArray[np.int64], level: float = 0.95
) -> dict[str, Measure]:
    """Every metric, from the sample's rows under weights.

    Args:
        kept: What was kept of the evaluation.
        weights: Of the sample's rows, adding to their number.
        predictions: The window's.
        days: Day of each.
        level: Coverage of the intervals.
    """
    sample, kind = kept.sample, kept.task.kind
    if kind == "binary":
        seen = observe(sample.predictions, sample.labels, sample.days, weights)
        return estimate_binary(seen, predictions, days, threshold=kept.threshold, level=level)
    if kind == "multiclass":
        each = tuple(
            observe(
                np.ascontiguousarray(sample.predictions[:, at]),
                (sample.labels == at).astype(np.float64),
                sample.days,
                weights,
            )
            for at in range(sample.predictions.shape[1])
        )
        return estimate_multiclass(each, predictions, days, level=level)
    return _losses(kept, weights, len(predictions), level)


def _losses(kept: Kept, weights: Floats, rows: int, level: float) -> dict[str, Measure]:
    """Weighted means of the sample's own losses, with days drawn anew and the luck of as many rows."""
    sample = kept.sample
    error = np.abs(sample.labels - sample.predictions)
    known, day = np.unique(sample.days, return_inverse=True)
    random = np.random.default_rng(0)
    drawn = random.multinomial(len(known), np.full(len(known), 1 / len(known)), size=_REPLICATES)
    counts = np.vstack([np.ones((1, len(known))), drawn])
    mass = np.bincount(day, weights=weights)
    found: dict[str, Measure] = {}
    for name, loss, root in (("mae", error, 1.0), ("rmse", error**2, 0.5)):
        means = counts @ np.bincount(day, weights=weights * loss) / (counts @ mass)
        luck = np.sqrt(float(weights @ (loss - means[0]) ** 2) / float(weights.sum()) / rows)
        means[1:] = np.maximum(means[1:] + random.normal(0, luck, _REPLICATES), 0.0)
        draws = Draws(float(means[0] ** root), means[1:] ** root, rows, len(known))
        found[name] = draws.measure(metric_of(name), level)
    return found
