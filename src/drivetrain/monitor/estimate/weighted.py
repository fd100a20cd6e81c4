"""Estimates from the evaluation's rows, weighted like the window's: what probabilities mean there may differ.

Where inputs shift, rows of the same score need not come true as often as they did: NannyML calls this correction PAPE
(Białek, Kuberski, Perrakis and Bifet, 2024). It needs rows of the evaluation that are like the window's; how many
there are is what :attr:`Ratio.effective` says, and with few of them nothing is estimated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.binary import estimate_binary
from drivetrain.monitor.estimate.calibration import observe
from drivetrain.monitor.estimate.keeping import Kept
from drivetrain.monitor.estimate.multiclass import estimate_multiclass


def estimate_weighted(
    kept: Kept, weights: Floats, predictions: Floats, days: npt.NDArray[np.int64], level: float = 0.95
) -> dict[str, Measure]:
    """Every metric of a yes or no, or of classes, from the sample's rows under weights.

    Args:
        kept: What was kept of the evaluation.
        weights: Of the sample's rows, adding to their number.
        predictions: The window's.
        days: Day of each.
        level: Coverage of the intervals.
    """
    sample = kept.sample
    if kept.task.kind == "binary":
        seen = observe(sample.predictions, sample.labels, sample.days, weights)
        return estimate_binary(seen, predictions, days, threshold=kept.threshold, rate=kept.rate, level=level)
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
