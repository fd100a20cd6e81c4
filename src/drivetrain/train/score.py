"""The figures that tuning compares: numpy, exact under ties, each knowing which way is better, and what it suits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drivetrain.core.errors import UsageError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records.task import KINDS, TaskKind

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
    """Mean negative log likelihood in nats; probabilities are kept 1e-15 away from 0 and 1.

    Args:
        labels: 0 or 1, of the scores' shape; or positions of classes, shape (n,), where scores are of each class.
        scores: Probabilities.
    """
    sure = np.clip(scores, _EDGE, 1 - _EDGE)
    if scores.ndim > labels.ndim:
        return float(-np.mean(np.log(sure[np.arange(len(labels)), labels.astype(np.intp)])))
    return float(-np.mean(labels * np.log(sure) + (1 - labels) * np.log1p(-sure)))


def brier(labels: Vector, scores: Vector) -> float:
    """Mean squared difference of probability and outcome."""
    return float(np.mean((labels - scores) ** 2))


def rmse(labels: Vector, scores: Vector) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((labels - scores) ** 2)))


def mae(labels: Vector, scores: Vector) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(labels - scores)))


def r2(labels: Vector, scores: Vector) -> float:
    """Share of the labels' variance that is explained; minus infinity where they have none."""
    spread = float(np.sum((labels - labels.mean()) ** 2))
    return 1.0 - float(np.sum((labels - scores) ** 2)) / spread if spread > 0 else -np.inf


def accuracy(labels: Vector, scores: Vector) -> float:
    """Share of rows whose likeliest class came."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def micro_average_precision(labels: Vector, scores: Vector) -> float:
    """Average precision of all labels of all rows taken together."""
    return average_precision(labels.ravel(), scores.ravel())


def pinball(labels: Vector, scores: Vector, levels: Sequence[float]) -> float:
    """Mean loss of quantiles (Koenker and Bassett, 1978), averaged over the levels.

    Args:
        labels: Shape (n,).
        scores: Shape (n, levels), or (n,) of one level.
        levels: The probabilities.
    """
    over = labels[:, None] - scores.reshape(len(labels), -1)
    each = np.array(levels)
    return float(np.mean(np.maximum(each * over, (each - 1) * over)))


def ndcg(labels: Vector, scores: Vector, groups: NDArray[np.int64], depth: int = 10) -> float:
    """Discounted gain (2^l - 1 over log2) of the first rows of each group, as a share of the best order's.

    Groups without a relevant row are left out. Of equal scores the less relevant row is put first.
    """
    found = []
    for group in np.unique(groups[labels > 0]):
        gains = np.exp2(labels[groups == group]) - 1.0
        order = np.lexsort((gains, -scores[groups == group]))[:depth]
        discount = 1.0 / np.log2(np.arange(len(order)) + 2.0)
        found.append(float(gains[order] @ discount) / float(-np.sort(-gains)[:depth] @ discount))
    return float(np.mean(found))


METRICS: Mapping[str, tuple[Callable[[Vector, Vector], float], bool]] = MappingProxyType(
    {
        "average_precision": (average_precision, True),
        "roc_auc": (roc_auc, True),
        "log_loss": (log_loss, False),
        "brier": (brier, False),
        "rmse": (rmse, False),
        "mae": (mae, False),
        "r2": (r2, True),
        "accuracy": (accuracy, True),
        "micro_average_precision": (micro_average_precision, True),
    }
)
"""Name → the function, and whether greater is better."""

SUITED: Mapping[TaskKind, tuple[str, ...]] = MappingProxyType(
    {
        "binary": ("average_precision", "roc_auc", "log_loss", "brier", "rmse"),
        "multiclass": ("log_loss", "accuracy"),
        "multilabel": ("micro_average_precision", "log_loss"),
        "regression": ("mae", "rmse", "r2"),
        "quantile": ("pinball",),
        "ranking": ("ndcg@10",),
    }
)
"""Kind → the metrics that it can be tuned for."""

_SENSES: Mapping[str, bool] = MappingProxyType({"pinball": False, "ndcg@10": True})


def score(metric: str, labels: Vector, scores: Vector) -> float:
    """The named metric, of labels and scores alone.

    Raises:
        UsageError: No metric goes by that name.
    """
    if known(metric) not in METRICS:
        raise UsageError(f"{metric} is not made from labels and scores alone", expected=", ".join(METRICS))
    return METRICS[metric][0](labels, scores)


def judged_score(metric: str, task: FitTask, scores: Vector) -> float:
    """The named metric, on a task's validation rows.

    Raises:
        UsageError: It does not suit answers of the task's kind.
    """
    check_suits(metric, task.kind)
    if metric == "pinball":
        return pinball(task.valid_labels, scores, task.levels)
    if metric == "ndcg@10":
        return ndcg(task.valid_labels, scores, task.valid_groups)
    return score(metric, task.valid_labels, scores)


def check_suits(metric: str, kind: TaskKind) -> None:
    """Refuses a metric that can't be made from answers of a kind.

    Raises:
        UsageError: It can't.
    """
    if metric not in SUITED[kind]:
        raise UsageError(
            f"{metric} can't be tuned for where the label is {KINDS[kind]}", expected=", ".join(SUITED[kind])
        )


def sign(metric: str) -> float:
    """1 where greater is better, -1 where smaller is."""
    known(metric)
    return 1.0 if (METRICS[metric][1] if metric in METRICS else _SENSES[metric]) else -1.0


def known(metric: str) -> str:
    """The metric's name, if it is one.

    Raises:
        UsageError: No metric goes by that name.
    """
    if metric not in METRICS and metric not in _SENSES:
        raise UsageError("no such metric to tune for", found=repr(metric), expected=", ".join([*METRICS, *_SENSES]))
    return metric
