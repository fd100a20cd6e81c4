"""What a trainer takes for labels, said by name where they are something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records.task import TaskKind

KINDS: tuple[TaskKind, ...] = ("binary", "multiclass", "regression")


def checked_labels(trainer: str, task: FitTask, kinds: Sequence[TaskKind] = KINDS) -> tuple[np.ndarray, int]:
    """A task's labels, and how many numbers a model says of a row.

    Args:
        trainer: Its name, for messages.
        task: What it is to fit.
        kinds: The kinds of answers that it can give.

    Returns:
        Float64 labels of shape (n,), and 1, or the number of classes.

    Raises:
        TrainingError: The kind is none of these, or a label is none of the kind; of the rows that judge, too.
    """
    if task.kind not in kinds:
        raise TrainingError(
            f"{trainer} does not fit {task.kind} models", expected=" or ".join(kinds), do="Choose another trainer"
        )
    if task.kind == "multiclass" and len(task.classes) < 2:
        raise TrainingError("a multiclass model needs names of its classes", found=list(task.classes))
    known = {"binary": 2, "multiclass": len(task.classes)}.get(task.kind)
    for part, given in (("training", task.labels), ("validation", task.valid_labels)):
        if given is not None:
            _check(part, np.asarray(given, dtype=np.float64), known, task)
    outputs = len(task.classes) if task.kind == "multiclass" else 1
    return np.asarray(task.labels, dtype=np.float64), outputs


def _check(part: str, labels: np.ndarray, known: int | None, task: FitTask) -> None:
    if labels.ndim != 1:
        raise TrainingError(f"{part} labels of another shape", found=labels.shape, expected="one label a row")
    wrong = ~np.isfinite(labels)
    expected = "finite numbers"
    if known is not None:
        wrong |= (labels < 0) | (labels >= known) | (labels != np.floor(labels))
        expected = "0 or 1" if task.kind == "binary" else f"0 to {known - 1}, for {', '.join(task.classes)}"
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise TrainingError(
            f"{int(wrong.sum())} {part} labels are not of a {task.kind} model",
            found=f"{labels[at]:g} in row {at}",
            expected=expected,
            do="Mend the label's expression, or declare another kind of model",
        )
