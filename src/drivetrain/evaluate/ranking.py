"""Rows sorted once by prediction, so that a ranking metric under new weights costs two passes, not a sort."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.int64] | npt.NDArray[np.float64]

_TINY = np.float64(1e-300)


class Areas(NamedTuple):
    """Areas under both curves; NaN where one class has no weight."""

    average_precision: float
    roc_auc: float
    average_precision_at_rate: float
    """Average precision had the positives been weighted to the base rate asked for; NaN if none was."""


class Ranking:
    """Labels in the order of falling prediction; equal predictions are one threshold.

    Args:
        labels: 0 or 1, shape (n,).
        predictions: Scores, shape (n,); higher means more likely 1.
    """

    def __init__(self, labels: Floats, predictions: Floats) -> None:
        self.order: npt.NDArray[np.intp] = np.argsort(-predictions, kind="stable")
        scores = predictions[self.order]
        positive = np.flatnonzero(labels[self.order] > 0.5)
        ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.empty(0, np.intp)
        group = np.searchsorted(ends, positive)
        # Only thresholds that let a positive through move either area, apart from the negatives counted between them.
        last = np.flatnonzero(np.append(group[1:] != group[:-1], True)) if len(group) else np.empty(0, np.intp)
        self._positive = positive
        self._tied = len(last) < len(positive)
        self._last = last
        self._end = ends[group[last]]
        start = np.where(group[last] > 0, ends[group[last] - 1] + 1, 0)
        self._single = bool((self._end == start).all())
        self._start = start

    def areas(self, weights: Weights, rate: float | None = None) -> Areas:
        """Both areas under row weights.

        Args:
            weights: Zero or more each, shape (n,), in the order of :attr:`order`.
            rate: A base rate to weigh the positives to, above 0 and below 1.

        Returns:
            Average precision is the step sum Σ (Rₙ - Rₙ₋₁) Pₙ, and ROC AUC the share of pairs in the right order, ties
            half, both as scikit-learn defines them.
        """
        # Sums of 64-bit integers run ten times as fast as sums of floats: resampled rows have whole weights.
        through = np.cumsum(weights)
        each = np.cumsum(weights[self._positive])
        found: Floats = np.asarray(each[self._last] if self._tied else each, np.float64)
        positives = float(found[-1]) if len(found) else 0.0
        negatives = (float(through[-1]) if len(through) else 0.0) - positives
        if positives <= 0.0 or negatives <= 0.0:
            return Areas(math.nan, math.nan, math.nan)
        step: Floats = np.asarray(np.diff(found, prepend=0.0), np.float64)
        reached: Floats = np.asarray(through[self._end], np.float64)
        wrong: Floats = reached - found
        # A threshold of weight zero at the very top would divide nought by nought; its step is nought as well.
        precision: Floats = found / np.maximum(reached, _TINY)
        average = _dot(step, precision) / positives
        if self._single:
            above = _dot(step, wrong)
        else:
            first = through[np.maximum(self._start - 1, 0)] * (self._start > 0)
            level = reached - first - step
            above = _dot(step, wrong - 0.5 * level)
        at_rate = math.nan
        if rate is not None:
            lift = rate / (1.0 - rate) * negatives / positives
            at_rate = _dot(step, lift * found / np.maximum(lift * found + wrong, _TINY)) / positives
        return Areas(average, 1.0 - above / (positives * negatives), at_rate)

    def areas_by_row(self, weights: Weights, rate: float | None = None, *, times: int = 1) -> Areas:
        """As :meth:`areas`, of weights in the rows' own order; of scores of which ``times`` lie in each row."""
        order = self.order if times == 1 else self.order // times
        return self.areas(weights[order], rate)

    def curve(self, weights: Weights) -> tuple[Floats, Floats]:
        """Weight of positives and of negatives at or above each threshold that lets a positive through."""
        through = np.cumsum(weights, dtype=np.float64)
        found = np.cumsum(weights[self._positive], dtype=np.float64)[self._last]
        return found, through[self._end] - found


def _dot(left: Floats, right: Floats) -> float:
    # BLAS wakes its threads for this, which on a busy machine costs twenty times the sum itself.
    return float(np.einsum("i,i->", left, right))
