"""The figures that tuning compares: numpy, exact under ties, each knowing which way is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drivetrain.core.errors import UsageError

Vector: TypeAlias = NDArray[np.float64]

_EDGE = 1e-15


def average_precision(labels: Vector, scores: Vector) -> float:
    """Area under the steps of precision over recall; rows with equal scores are taken together.

    Args:
        labels: 0 or 1, shape (n,).
        scores: Greater means likelier, shape (n,).

    Example:
        >>> round(average_precision(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.8])), 3)
        1.0
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precision = hits[last] / (last + 1)
    return float(np.sum(np.diff(hits[last], prepend=0.0) * precision) / hits[-1])


def roc_auc(labels: Vector, scores: Vector) -> float:
    """Chance that a positive row scores above a negative one, ties counting half (Mann-Whitney)."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    positives = float(labels.sum())
    negatives = len(labels) - positives
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(labels: Vector, scores: Vector) -> float:
    """Mean negative log likelihood in nats; probabilities are kept 1e-15 away from 0 and 1."""
    sure = np.clip(scores, _EDGE, 1 - _EDGE)
    return float(-np.mean(labels * np.log(sure) + (1 - labels) * np.log1p(-sure)))


def brier(labels: Vector, scores: Vector) -> float:
    """Mean squared difference of probability and outcome."""
    return float(np.mean((labels - scores) ** 2))


def rmse(labels: Vector, scores: Vector) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((labels - scores) ** 2)))


METRICS: Mapping[str, tuple[Callable[[Vector, Vector], float], bool]] = MappingProxyType(
    {
        "average_precision": (average_precision, True),
        "roc_auc": (roc_auc, True),
        "log_loss": (log_loss, False),
        "brier": (brier, False),
        "rmse": (rmse, False),
    }
)
"""Name → the function, and whether greater is better."""


def score(metric: str, labels: Vector, scores: Vector) -> float:
    """The named metric.

    Raises:
        UsageError: No metric goes by that name.
    """
    return METRICS[known(metric)][0](labels, scores)


def sign(metric: str) -> float:
    """1 where greater is better, -1 where smaller is."""
    return 1.0 if METRICS[known(metric)][1] else -1.0


def known(metric: str) -> str:
    """The metric's name, if it is one.

    Raises:
        UsageError: No metric goes by that name.
    """
    if metric not in METRICS:
        raise UsageError("no such metric to tune for", found=repr(metric), expected=", ".join(METRICS))
    return metric
