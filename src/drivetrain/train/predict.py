"""Predictions of what was trained, through the same engine that serves it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from drivetrain.core.errors import TrainingError, UnknownName
from drivetrain.core.protocols import Engine
from drivetrain.core.records import Artifact, InputSchema, Run
from drivetrain.features.encoding import encode
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine
from drivetrain.train.deciding.reading import FORMAT


def predict_run(
    store: Store, run: Run, frame: pl.DataFrame, *, baseline: str | None = None, calibrated: bool = True
) -> np.ndarray:
    """Predictions of a run's model, or of one of its baselines.

    Args:
        store: Where the artifacts are.
        run: A finished run.
        frame: Rows with the run's features by full name; others are ignored.
        baseline: Name of the baseline to ask instead.
        calibrated: Whether its probabilities are those that are served, where it is calibrated; else its own.

    Returns:
        Shape (n,), or (n, classes); in the frame's order.

    Raises:
        TrainingError: The run did not finish, or the frame lacks a feature.
        UnknownName: The run has no such baseline.
    """
    if run.input_schema is None or run.status != "done":
        raise TrainingError(f"run {run.run_id} of {run.model} is {run.status}", found=run.error or None)
    if baseline is None:
        artifacts = run.artifacts if calibrated else [each for each in run.artifacts if each.format != FORMAT]
        engine = open_engine(store.blobs, artifacts, run.input_schema, trusted=run.model in store.pickles)
        return predict_rows(engine, run.input_schema, frame)
    if baseline not in run.baselines:
        raise UnknownName(f"run {run.run_id} has no baseline {baseline!r}", expected=", ".join(run.baselines) or "none")
    return _predict(store, run.baselines[baseline], run.baseline_schema or run.input_schema, frame)


def predict_rows(engine: Engine, schema: InputSchema, frame: pl.DataFrame) -> np.ndarray:
    """Predictions of an engine that is open; as :func:`predict_run`."""
    missing = [name for name in schema.names if name not in frame.columns]
    if missing:
        raise TrainingError(
            f"the rows lack {len(missing)} features that the model reads",
            expected=", ".join(missing),
            do="Build them with the definitions the model was trained with",
        )
    return np.asarray(engine.predict(encode(frame, schema)))


def _predict(store: Store, artifacts: Sequence[Artifact], schema: InputSchema, frame: pl.DataFrame) -> np.ndarray:
    return predict_rows(open_engine(store.blobs, artifacts, schema), schema, frame)
