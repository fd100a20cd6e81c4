"""What acting on the model would mean: if the riskiest share is warned, how many are right and how many are missed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bootstrap import Bootstrap, Draws, draw
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.ranking import Floats, Ranking

SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class OperatingPoint(msgspec.Struct, frozen=True):
    """Acting on every prediction at or above a threshold.

    ``share`` is the share of rows acted on; ``precision`` the share of those that were positive; ``recall`` the share
    of positives among them.
    """

    threshold: float
    share: float
    precision: Measure
    recall: Measure


class Curve(msgspec.Struct, frozen=True):
    """How precision falls as recall grows: chosen points with intervals, and the whole line in at most 200 steps."""

    points: tuple[OperatingPoint, ...]
    recall: tuple[float, ...]
    precision: tuple[float, ...]


def operate(
    predictions: npt.ArrayLike,
    labels: npt.ArrayLike,
    ats: npt.ArrayLike,
    *,
    shares: Sequence[float] = SHARES,
    bootstrap: Bootstrap = Bootstrap(),
) -> Curve:
    """Precision and recall by how many are acted on.

    Args:
        predictions: Probabilities, shape (n,).
        labels: 0 or 1 with both there, shape (n,).
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        shares: Shares of the rows to act on; ties with the threshold are acted on too.
        bootstrap: How intervals are made; the threshold is held as it is.
    """
    scores = np.asarray(predictions, np.float64)
    truth = np.asarray(labels, np.float64)
    resamples = draw(np.asarray(ats, np.int64), bootstrap)
    positives = resamples.sums(truth)[:, 0]
    points = []
    for threshold in dict.fromkeys(thresholds_at(scores, shares)):
        acted = scores >= threshold
        rows = resamples.sums(acted.astype(np.float64))[:, 0]
        right = resamples.sums(truth * acted)[:, 0]
        figures = []
        for whole, count in ((rows, int(acted.sum())), (positives, int(truth.sum()))):
            share = np.divide(right, whole, out=np.full(len(whole), np.nan), where=whole > 0)
            draws = Draws(float(share[0]), share[1:], count, resamples.blocks)
            figures.append(draws.measure(METRICS["base_rate"], bootstrap.level))
        points.append(OperatingPoint(threshold, float(rows[0] / len(scores)), figures[0], figures[1]))
    ranking = Ranking(truth, scores)
    found, wrong = ranking.curve(np.ones(len(scores)))
    at = np.unique(np.linspace(0, len(found) - 1, 200).round().astype(int))
    return Curve(
        points=tuple(points),
        recall=tuple((found[at] / found[-1]).round(5).tolist()),
        precision=tuple((found[at] / (found[at] + wrong[at])).round(5).tolist()),
    )


def threshold_at(predictions: Floats, share: float) -> float:
    """The threshold at which a share of the rows is acted on; ties with it are acted on too.

    Example:
        >>> threshold_at(np.array([0.1, 0.4, 0.2, 0.3]), 0.5)
        0.3
    """
    return thresholds_at(predictions, [share])[0]


def thresholds_at(predictions: Floats, shares: Sequence[float]) -> list[float]:
    """The same for several shares."""
    falling = np.sort(predictions)[::-1]
    return [float(falling[max(round(share * len(falling)), 1) - 1]) for share in shares]
