"""Rows that judge a model, with labels as its answers tell them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Task
from drivetrain.features.label import LABEL
from drivetrain.features.target import encode_labels


class Told(NamedTuple):
    """Rows whose label is among what a model can answer.

    Attributes:
        rows: These.
        labels: Their labels as numbers, shape (n,); of several labels (n, labels).
        unseen: Class → how many rows were left out because no row that taught the model has it. Of several labels
            nothing is left out: what is not among them is only not told.
    """

    rows: pl.DataFrame
    labels: np.ndarray
    unseen: dict[str, int]


def told_rows(rows: pl.DataFrame, task: Task, model: str) -> Told:
    """Encodes labels, and sets rows of classes that the model does not know aside.

    Raises:
        TrainingError: It knows the class of none.
    """
    labels, unseen = encode_labels(rows[LABEL], task)
    if task.kind != "multiclass" or not unseen:
        return Told(rows, labels, unseen)
    known = np.isfinite(labels)
    if not known.any():
        raise TrainingError(
            f"{model} knows the class of none of its {len(rows)} test rows",
            found=", ".join(list(unseen)[:5]),
            expected=f"one of {', '.join(task.classes[:5])}",
            do="Lengthen the window that teaches",
        )
    return Told(rows.filter(known), labels[known], unseen)


def numbered(rows: pl.DataFrame, column: str) -> np.ndarray | None:
    """A number for each value of a column; none where no column is named."""
    return rows[column].cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64) if column else None
