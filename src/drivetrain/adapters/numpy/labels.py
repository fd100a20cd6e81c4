"""What a trainer takes for labels, said by name where they are something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records.task import KINDS, Task, TaskKind

EVERY: tuple[TaskKind, ...] = get_args(TaskKind)
"""All kinds of answers."""


def checked_labels(trainer: str, task: FitTask, kinds: Sequence[TaskKind] = EVERY) -> tuple[np.ndarray, int]:
    """A task's labels, and how many numbers a model says of a row.

    Args:
        trainer: Its name, for messages.
        task: What it is to fit.
        kinds: The kinds of answers that it can give.

    Returns:
        Float64 labels of shape (n,), or (n, labels) of several, and how many numbers an answer has.

    Raises:
        TrainingError: The kind is none of these, or a label is none of the kind; of the rows that judge, too.
    """
    if task.kind not in kinds:
        raise TrainingError(
            f"{trainer} does not tell {KINDS[task.kind]}",
            expected=" or ".join(KINDS[kind] for kind in kinds),
            do="Choose another trainer",
        )
    if task.kind == "multiclass" and len(task.classes) < 2:
        raise TrainingError("a multiclass model needs names of its classes", found=list(task.classes))
    known = {"binary": 2, "multiclass": len(task.classes), "multilabel": 2}.get(task.kind)
    for part, given in (("training", task.labels), ("validation", task.valid_labels)):
        if given is not None:
            _check(part, np.asarray(given, dtype=np.float64), known, task)
    return np.asarray(task.labels, dtype=np.float64), Task(task.kind, task.classes, task.levels).outputs


def _check(part: str, labels: np.ndarray, known: int | None, task: FitTask) -> None:
    width = (len(task.classes),) if task.kind == "multilabel" else ()
    if labels.shape[1:] != width:
        expected = f"{width[0]} labels a row" if width else "one label a row"
        raise TrainingError(f"{part} labels of another shape", found=labels.shape, expected=expected)
    wrong = ~np.isfinite(labels)
    expected = "finite numbers"
    if known is not None:
        wrong |= (labels < 0) | (labels >= known) | (labels != np.floor(labels))
        expected = f"0 to {known - 1}, for {', '.join(task.classes)}" if task.kind == "multiclass" else "0 or 1"
    if wrong.any():
        at = tuple(int(each[0]) for each in np.nonzero(wrong))
        raise TrainingError(
            f"{int(wrong.sum())} {part} labels are not of a {task.kind} model",
            found=f"{labels[at]:g} in row {at[0]}",
            expected=expected,
            do="Mend the label's expression, or declare another kind of model",
        )
