"""Rows that a model has answered, and what came."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drivetrain.core.errors import TrainingError
from drivetrain.core.records.task import Task
from drivetrain.evaluate.ranking import Floats


class Answers(NamedTuple):
    """Labels and predictions of the same rows.

    Attributes:
        labels: Shape (n,): 0 or 1, positions of classes, or numbers; of several labels 0 or 1, shape (n, labels).
        predictions: Shape (n,), or (n, outputs) of a task with classes or levels.
        task: What they stand for.
        groups: Of a ranking: the group of each row, shape (n,).
    """

    labels: Floats
    predictions: Floats
    task: Task = Task()
    groups: npt.NDArray[np.int64] | None = None

    def among(self, mask: npt.NDArray[np.bool_]) -> Answers:
        """Some of the rows."""
        groups = None if self.groups is None else self.groups[mask]
        return Answers(self.labels[mask], self.predictions[mask], self.task, groups)

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.labels)


def check_shape(answers: Answers, whose: str) -> None:
    """Refuses rows from which no metric of any kind can be made.

    Raises:
        TrainingError: There are none, their numbers differ, or an answer has another number of outputs than the task.
    """
    if not answers.rows:
        raise TrainingError(f"{whose} can't be evaluated: there are no labelled rows", do="Widen the test window")
    if answers.rows != len(answers.predictions):
        raise TrainingError(
            f"{whose} can't be evaluated", found=f"{len(answers.predictions)} predictions", expected=answers.rows
        )
    several = bool(answers.task.classes or answers.task.levels)
    expected = (answers.rows, answers.task.outputs) if several else (answers.rows,)
    if answers.predictions.shape != expected:
        raise TrainingError(
            f"{whose} can't be evaluated", found=f"answers of shape {answers.predictions.shape}", expected=expected
        )


def check_probabilities(predictions: Floats, whose: str) -> None:
    """Refuses predictions outside 0 to 1.

    Raises:
        TrainingError: There are some.
    """
    wrong = predictions[~((predictions >= 0.0) & (predictions <= 1.0))]
    if len(wrong):
        raise TrainingError(
            f"{whose} can't be evaluated",
            found=f"{len(wrong)} predictions outside 0 to 1, the first {wrong[0]}",
            expected="probabilities",
        )


def check_finite(values: Floats, whose: str, what: str) -> None:
    """Refuses numbers that are none.

    Raises:
        TrainingError: There are some.
    """
    wrong = values[~np.isfinite(values)]
    if len(wrong):
        raise TrainingError(
            f"{whose} can't be evaluated", found=f"{len(wrong)} {what} such as {wrong[0]}", expected="finite numbers"
        )


def comparable(one: Task, other: Task) -> bool:
    """Whether answers of one task can be set beside those of another: the same kind, and the same levels.

    Example:
        >>> comparable(Task("multiclass", ("a", "b")), Task("multiclass", ("a", "b", "c")))
        True
    """
    return one.kind == other.kind and one.levels == other.levels


def realigned(predictions: Floats, theirs: Task, ours: Task) -> Floats | None:
    """Answers of one task in the order of another's outputs.

    What they do not tell has a probability of 0. Classes that only they tell are left out, and of classes that exclude
    one another the rest is taken as a whole: rows of the former are not among those that are judged.

    Returns:
        None where the answers are of another kind, or of other levels.
    """
    if not comparable(theirs, ours):
        return None
    if theirs.classes == ours.classes:
        return predictions
    place = {name: at for at, name in enumerate(theirs.classes)}
    columns = predictions.reshape(len(predictions), -1)
    nothing = np.zeros(len(columns))
    found = np.stack([columns[:, place[name]] if name in place else nothing for name in ours.classes], axis=1)
    if ours.kind == "multilabel":
        return found
    whole = found.sum(axis=1, keepdims=True)
    return np.where(whole > 0, found / np.where(whole > 0, whole, 1.0), 1.0 / found.shape[1])
