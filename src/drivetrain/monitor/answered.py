"""Answers of a prediction log beside the labels that came for them, as metrics of their kind are made from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.records import Task
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats
from drivetrain.features.target import encode_labels
from drivetrain.monitor.labels import LABEL, NAMES
from drivetrain.monitor.output import outputs_logged


class Answered(NamedTuple):
    """What can be judged of a log.

    Attributes:
        answers: Labels and answers.
        ats: Moment of each, microseconds UTC, shape (n,).
        places: Row of the log that each is of, shape (n,).
    """

    answers: Answers
    ats: npt.NDArray[np.int64]
    places: npt.NDArray[np.intp]


def answered(rows: pl.DataFrame, task: Task) -> Answered:
    """The rows of one version that have both an answer and a label of its kind.

    Left out are rows whose label is another kind of thing, or a class that the version does not know, and rows without
    a finite answer of the task's width. Of a ranking the instances of a request are a group, and stand together.

    Args:
        rows: Rows of the log, with labels as :func:`~drivetrain.monitor.labels.join_labels` gives them.
        task: What the version tells.
    """
    outputs = outputs_logged(rows, task)
    judged = np.isfinite(outputs.reshape(len(outputs), task.outputs)).all(axis=1) & _suits(rows, task)
    places = np.flatnonzero(judged)
    if task.kind == "ranking":
        places = places[np.argsort(rows["request_id"].to_numpy()[places], kind="stable")]
    kept = rows[places]
    groups = kept["request_id"].rle_id().cast(pl.Int64).to_numpy() if task.kind == "ranking" else None
    answers = Answers(_labels(kept, task), np.ascontiguousarray(outputs[places]), task, groups)
    return Answered(answers, kept["at"].cast(pl.Int64).to_numpy(), places)


def _suits(rows: pl.DataFrame, task: Task) -> npt.NDArray[np.bool_]:
    if task.kind == "multiclass":
        return rows[NAMES].list.first().is_in(list(task.classes)).fill_null(value=False).to_numpy()
    return rows[NAMES if task.kind == "multilabel" else LABEL].is_not_null().to_numpy()


def _labels(rows: pl.DataFrame, task: Task) -> Floats:
    if task.kind == "multiclass":
        return encode_labels(rows[NAMES].list.first(), task)[0]
    return encode_labels(rows[NAMES if task.kind == "multilabel" else LABEL], task)[0]
