"""Metrics of a yes or no whose labels are probabilities: their expectation over what may come true.

With labels of 0 and 1 the same formulas give the metrics themselves, so that what is expected and what chance makes of
it can't differ in what they mean. A row's own label is never paired with itself: NannyML's estimates of areas do that,
which is off by about one over the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drivetrain.evaluate.metrics import AT_RATE, METRICS, Metric
from drivetrain.evaluate.ranking import Floats

_CLIP = 1e-15

AT_THRESHOLD: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "greater", "share", "share of answers at the threshold that came true"),
        Metric("precision", "precision", "greater", "share", "share of what is acted on that came true"),
        Metric("recall", "recall", "greater", "share", "share of what came true that was acted on"),
        Metric("f1", "F1", "greater", "share", "harmonic mean of precision and recall"),
    )
}
"""What acting on predictions from a threshold on comes to."""


def metric_named(name: str) -> Metric:
    """A metric of a yes or no, those at a threshold among them."""
    return AT_THRESHOLD.get(name) or METRICS["average_precision" if name == AT_RATE else name]


class Ordered:
    """Predictions in falling order, equal ones one threshold.

    Args:
        predictions: Probabilities, shape (n,).
        threshold: From which on a prediction is acted on.
    """

    def __init__(self, predictions: Floats, threshold: float = 0.5) -> None:
        self.order = np.argsort(-predictions, kind="stable")
        self.scores = predictions[self.order]
        self._ends = np.flatnonzero(np.append(self.scores[1:] != self.scores[:-1], True))
        self._acted = int(np.searchsorted(-self.scores, -threshold, side="right"))
        sure = np.clip(self.scores, _CLIP, 1.0 - _CLIP)
        self._yes, self._no = -np.log(sure), -np.log1p(-sure)

    def figures(self, came: Floats, rate: float | None = None) -> dict[str, Floats]:
        """Every metric under each vector of labels.

        Args:
            came: Labels of 0 or 1, or probabilities of 1, in the order of :attr:`order`; shape (vectors, n).
            rate: Base rate at which average precision is told once more.

        Returns:
            Name → shape (vectors,); NaN where a metric has no value.
        """
        rows = came.shape[1]
        ends, places = self._ends, self._ends + 1.0
        positives = came.cumsum(axis=1)
        unsure = came.sum(axis=1) - (came**2).sum(axis=1)
        total = positives[:, -1]
        through = positives[:, ends]
        step = np.diff(through, axis=1, prepend=0.0)
        wrong = places - through
        level = np.diff(wrong, axis=1, prepend=0.0)
        pairs = total * (rows - total) - unsure
        below = (rows - total)[:, None] - wrong
        squares = np.diff((came**2).cumsum(axis=1)[:, ends], axis=1, prepend=0.0)
        gained = (step * (1.0 + through) - squares) / places
        hits = positives[:, self._acted - 1] if self._acted else np.zeros(len(came))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "roc_auc": np.where(
                    pairs > 1e-9, ((step * (below + level / 2)).sum(axis=1) - unsure / 2) / pairs, np.nan
                ),
                "average_precision": np.where(total > 0, gained.sum(axis=1) / total, np.nan),
                "log_loss": (came @ self._yes + (1.0 - came) @ self._no) / rows,
                "brier": (came @ (1.0 - 2.0 * self.scores) + (self.scores**2).sum()) / rows,
                "base_rate": total / rows,
                "accuracy": (hits + (rows - self._acted) - (total - hits)) / rows,
                "precision": hits / self._acted if self._acted else np.full(len(came), np.nan),
                "recall": hits / total,
                "f1": 2 * hits / (self._acted + total),
            }
            if rate is not None:
                found[AT_RATE] = self._at_rate(came, positives, rate)
        return found

    def _at_rate(self, came: Floats, positives: Floats, rate: float) -> Floats:
        """Average precision had positives been weighted to a base rate; a row's own weight is that of a positive."""
        rows = came.shape[1]
        end = self._ends[np.searchsorted(self._ends, np.arange(rows))]
        total = positives[:, -1:]
        weight = rate / (1 - rate) * (rows - total) / total
        through = positives[:, end]
        right = weight * (1.0 + through - came)
        wrong = (end + 1.0 - through) - (1.0 - came)
        return np.asarray((came * right / (right + wrong)).sum(axis=1) / total[:, 0], np.float64)
