"""What a metric is summed over: rows with weights, once, or once and then resampled many times.

A metric is written once, over this; its value and its replicates can't differ in what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats, Ranking, Weights

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]


class Over(Protocol):
    """Weightings of the same rows: the rows as they are come first."""

    def sums(self, values: Floats, group: Codes | None = None, groups: int = 1) -> Floats:
        """Sums of ``values`` by group (0 to ``groups`` - 1) under each weighting, shape (weightings, groups)."""
        ...

    def each(self) -> Iterator[Weights]:
        """The weight of every row, shape (n,), one weighting after the other."""
        ...

    def roc_auc(self, labels: Floats, scores: Floats) -> Floats:
        """ROC AUC under each weighting, shape (weightings,); NaN where one class has no weight."""
        ...

    def among(self, mask: Mask) -> Over:
        """The same weightings of some of the rows."""
        ...


class Weighted:
    """One weighting of rows: for a metric's plain value.

    Args:
        weights: Shape (n,), none below zero.
    """

    def __init__(self, weights: Floats) -> None:
        self._weights = weights

    def sums(self, values: Floats, group: Codes | None = None, groups: int = 1) -> Floats:
        """As :meth:`Over.sums`; shape (1, groups)."""
        cell = np.zeros(len(values), np.intp) if group is None else group
        found: Floats = np.asarray(np.bincount(cell, weights=self._weights * values, minlength=groups), np.float64)
        return found[None, :]

    def each(self) -> Iterator[Weights]:
        """As :meth:`Over.each`."""
        yield self._weights

    def roc_auc(self, labels: Floats, scores: Floats) -> Floats:
        """As :meth:`Over.roc_auc`."""
        ranking = Ranking(labels, scores)
        return np.array([ranking.areas_by_row(self._weights).roc_auc])

    def among(self, mask: Mask) -> Weighted:
        """As :meth:`Over.among`."""
        return Weighted(self._weights[mask])


def totals(over: Over, rows: int) -> Floats:
    """The weight of all rows under each weighting; NaN where it is nothing, so that what is divided by it is too."""
    weight = over.sums(np.ones(rows))[:, 0]
    return np.where(weight > 0, weight, np.nan)


def ratio(part: Floats, whole: Floats, empty: float = np.nan) -> Floats:
    """Quotients; ``empty`` where the whole is nothing."""
    out: Floats = np.full(np.broadcast(part, whole).shape, empty)
    return np.asarray(np.divide(part, whole, out=out, where=whole > 0), np.float64)


def mean_known(values: Floats, weights: Floats | None = None) -> Floats:
    """Means along the second axis of what is no NaN; NaN where nothing is."""
    known = np.isfinite(values)
    weight = known * (1.0 if weights is None else weights)
    return ratio((np.where(known, values, 0.0) * weight).sum(axis=1), weight.sum(axis=1))
