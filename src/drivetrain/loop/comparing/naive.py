"""What no rules are needed for: answers that every set of rules must beat to be worth its cost.

A stream that drifts is often answered well by who says again what came last (Bifet et al., 2013): a figure without such
rows beside it says nothing of whether anything was learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import InputSchema, ModelVersion, Run, Task
from drivetrain.evaluate.ranking import Floats
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.monitor.answered import answered
from drivetrain.monitor.labels import join_labels
from drivetrain.registry.load import load_engine
from drivetrain.train.filling import Filling

STATIC, SAME, USUAL, WEEK = "the first version", "what came last", "the share so far", "last week's model"
_WEEK: Micros = 7 * DAY
_LEAST = 200
"""Labelled rows below which no model is fitted to a week."""


@dataclass(frozen=True)
class Stream:
    """The rows that were asked about, in order of their moments.

    Attributes:
        endpoint: Whose.
        log: As :attr:`~drivetrain.loop.comparing.played.Played.log`.
        feedback: The labels that came.
        task: What answers tell.
    """

    endpoint: str
    log: pl.DataFrame
    feedback: pl.DataFrame
    task: Task

    @property
    def ats(self) -> np.ndarray:
        """Moment of each row, microseconds UTC, shape (n,)."""
        return self.log["at"].cast(pl.Int64).to_numpy()

    def values(self, schema: InputSchema) -> Floats | None:
        """What the model read, shape (n, fields); none where the log does not hold it."""
        lengths = self.log["values"].list.len().unique().to_list()
        if lengths != [len(schema.fields)]:
            return None
        flat = self.log["values"].explode().cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return flat.reshape(self.log.height, len(schema.fields))


def naive_answers(project: Definitions, model: Model, version: ModelVersion, stream: Stream) -> dict[str, Floats | str]:
    """Name → answers to every row of the stream, or why there are none.

    ``what came last`` says the label that had become known last; ``the share so far`` the mean of all that had. Both
    are of a yes or no, and of a number. ``the first version`` answers to the end. ``last week's model`` is the model's
    own trainer, fitted anew each week to the seven days before, as far as their labels had become known.

    Args:
        project: A rehearsal's project: its store holds the first version.
        model: The model.
        version: The first version.
        stream: What was asked.
    """
    found: dict[str, Floats | str] = {}
    if stream.task.kind in {"binary", "regression"}:
        found |= _from_labels(stream)
    values = stream.values(version.input_schema)
    if values is None or np.isnan(values).all(axis=0).any():
        why = "the log does not hold what the model read"
        return found | {STATIC: why, WEEK: why}
    static = np.asarray(load_engine(project.store, version).predict(values), np.float64)
    found[STATIC] = static
    try:
        found[WEEK] = _weekly(project, model, version, stream, values, static)
    except DrivetrainError as error:
        found[WEEK] = str(error)
    return found


def _from_labels(stream: Stream) -> dict[str, Floats | str]:
    told = stream.feedback.filter(pl.col("endpoint") == stream.endpoint, pl.col("label").is_finite())
    told = told.with_columns(pl.col("at").cast(pl.Int64)).sort("at", "logged_at")
    if not told.height:
        return {SAME: "no label came", USUAL: "no label came"}
    labels = told["label"].to_numpy()
    known = np.searchsorted(told["at"].to_numpy(), stream.ats, side="right")
    before = np.maximum(known, 1) - 1
    share = np.cumsum(labels) / np.arange(1, len(labels) + 1)
    return {SAME: labels[before].astype(np.float64), USUAL: share[before].astype(np.float64)}


def _weekly(
    project: Definitions, model: Model, version: ModelVersion, stream: Stream, values: Floats, static: Floats
) -> Floats:
    ats, said = stream.ats, static.copy()
    run = project.store.catalog.get(Run, version.run_id)
    schema = version.input_schema
    filling = Filling(schema) if schema.fills else None
    for start in range(int(ats.min()) + _WEEK, int(ats.max()) + 1, _WEEK):
        past, coming = (ats >= start - _WEEK) & (ats < start), (ats >= start) & (ats < start + _WEEK)
        known = stream.feedback.filter(pl.col("at").cast(pl.Int64) < start)
        joined = join_labels(stream.log.filter(pl.Series(past)), known, endpoint=stream.endpoint)
        judged = answered(joined, stream.task)
        labels = judged.answers.labels
        if len(labels) < _LEAST or (labels.ndim == 1 and len(np.unique(labels)) < 2) or not coming.any():
            continue
        rows = values[past][judged.places]
        fitted = model.trainer.fit(
            FitTask(
                rows=filling.matrix(rows) if filling else rows,
                labels=labels,
                schema=schema.read if schema.fills else schema,
                kind=stream.task.kind,
                classes=stream.task.classes,
                levels=stream.task.levels,
                groups=judged.answers.groups,
                parameters={} if run is None else run.parameters,
                seed=model.seed,
                threads=max(1, project.settings.compute.threads or 1),
            )
        )
        asked = values[coming]
        said[coming] = np.asarray(fitted.predict(filling.matrix(asked) if filling else asked), np.float64)
    return said
