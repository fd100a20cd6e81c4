"""What acting from a threshold costs, beside acting never, always and from one half on."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import Acting, Measure
from drivetrain.core.records.deciding import Alternative, ThresholdChoice
from drivetrain.evaluate.bootstrap import Draws, Resamples
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.ranking import Floats

_HALF = 0.5


def acting(choice: ThresholdChoice, predictions: Floats, labels: Floats, resamples: Resamples) -> Acting:
    """Measures a threshold that was chosen on other rows.

    Args:
        choice: The threshold, and what outcomes cost.
        predictions: Probabilities, shape (n,).
        labels: 0 or 1, shape (n,).
        resamples: Draws over the same rows.
    """
    acts = predictions >= choice.value
    ours = row_costs(acts, labels, choice.costs)
    others = {
        "never": np.zeros(len(labels), np.bool_),
        "always": np.ones(len(labels), np.bool_),
        "from 0.5": predictions >= _HALF,
    }
    return Acting(
        threshold=choice.value,
        costs=choice.costs,
        at_most=choice.at_most,
        share=ratio(acts.astype(np.float64), np.ones(len(labels)), resamples),
        precision=ratio(labels * acts, acts.astype(np.float64), resamples) if acts.any() else None,
        recall=ratio(labels * acts, labels, resamples) if labels.any() else None,
        cost=mean(ours, resamples),
        alternatives=tuple(
            Alternative(name=name, cost=mean(theirs, resamples), saved=mean(theirs - ours, resamples))
            for name, theirs in ((name, row_costs(which, labels, choice.costs)) for name, which in others.items())
        ),
    )


def row_costs(acts: np.ndarray, labels: Floats, costs: dict[str, float]) -> Floats:
    """What each row costs."""
    acted = np.where(labels > 0, costs["true_positive"], costs["false_positive"])
    left = np.where(labels > 0, costs["false_negative"], costs["true_negative"])
    return np.asarray(np.where(acts, acted, left), np.float64)


def mean(values: Floats, resamples: Resamples) -> Measure:
    """A mean over rows, which may be of any size, with its interval."""
    sums = resamples.sums(values)[:, 0] / resamples.sums(np.ones(len(values)))[:, 0]
    draws = Draws(float(sums[0]), sums[1:], len(values), resamples.blocks)
    low, high = draws.interval("line", resamples.level) or (None, None)
    return Measure(draws.value, low, high, draws.count, resamples.level)


def ratio(values: Floats, of: Floats, resamples: Resamples, level: float | None = None) -> Measure:
    """A share of some rows, with its interval; without one where every resample says the same."""
    level = resamples.level if level is None else level
    above, below = resamples.sums(values)[:, 0], resamples.sums(of)[:, 0]
    share = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    draws = Draws(float(share[0]), share[1:], int(of.sum()), resamples.blocks)
    if np.nanmin(share) == np.nanmax(share):  # 49 of 49 are not certainty
        return Measure(draws.value, None, None, draws.count, level)
    return draws.measure(METRICS["base_rate"], level)
