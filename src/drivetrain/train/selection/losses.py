"""What a model's answers cost, row by row, and how much of that it spares who knows nothing of a row."""

from __future__ import annotations

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask

_EDGE = 1e-15


def row_losses(task: FitTask, labels: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Loss of each answer, shape (n,).

    Negative log likelihood of classes, the mean over several labels, squared error of a number, the mean pinball loss
    (Koenker and Bassett, 1978) of quantiles.

    Args:
        task: Kind and levels of the answers.
        labels: What came.
        said: The answers.

    Raises:
        TrainingError: Rows that are put in order have no loss of their own.
    """
    if task.kind == "ranking":
        raise TrainingError("the rows of a ranking have no loss of their own")
    if task.kind == "regression":
        return np.asarray((labels - said) ** 2)
    if task.kind == "quantile":
        over = labels[:, None] - said.reshape(len(labels), -1)
        levels = np.array(task.levels)
        return np.asarray(np.maximum(levels * over, (levels - 1) * over).mean(axis=1))
    sure = np.clip(said, _EDGE, 1 - _EDGE)
    if task.kind == "multiclass":
        return np.asarray(-np.log(sure[np.arange(len(labels)), labels.astype(np.intp)]))
    each = -(labels * np.log(sure) + (1 - labels) * np.log1p(-sure))
    return np.asarray(each if each.ndim == 1 else each.mean(axis=1))


def spared(task: FitTask, said: np.ndarray) -> float:
    """Share of the loss of one answer for all rows that a model spares on the rows it was fitted to, 0 to 1.

    Of a ranking, whose rows have no loss, 1.
    """
    if task.kind == "ranking":
        return 1.0
    labels = np.asarray(task.labels)
    base = float(row_losses(task, labels, _same_for_all(task, labels)).mean())
    return float(np.clip(1.0 - float(row_losses(task, labels, said).mean()) / base, 0.0, 1.0)) if base > 0 else 0.0


def _same_for_all(task: FitTask, labels: np.ndarray) -> np.ndarray:
    if task.kind == "quantile":
        return np.tile(np.quantile(labels, task.levels), (len(labels), 1))
    if task.kind == "multiclass":
        shares = np.bincount(labels.astype(np.intp), minlength=len(task.classes)) / len(labels)
        return np.tile(shares, (len(labels), 1))
    return np.broadcast_to(labels.mean(axis=0), labels.shape)
