"""What is declared of reading answers, measured on the test rows."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.records import Evaluation, Run
from drivetrain.evaluate.deciding.report import decided_on
from drivetrain.features.label import AT
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.told import Told, numbered
from drivetrain.train.deciding.reading import load_decider
from drivetrain.train.predict import predict_run


def read_answers(
    project: Definitions, model: Model, run: Run, evaluation: Evaluation, seen: Told, predictions: np.ndarray
) -> Evaluation:
    """An evaluation with costs and coverage, where the run has learned how its answers are read; else as it is.

    Args:
        project: Whose store has the run's artifacts.
        model: What it was declared as.
        run: The run.
        evaluation: Of it, on the test rows.
        seen: These rows, with their labels.
        predictions: Its answers to them.
    """
    decider = load_decider(project.store.blobs, run.artifacts)
    if decider is None or run.decided is None:
        return evaluation
    test: pl.DataFrame = seen.rows
    raw = None if decider.calibration is None else predict_run(project.store, run, test, calibrated=False)
    return decided_on(
        evaluation,
        decider,
        run.decided,
        predictions,
        seen.labels,
        test[AT].dt.epoch("us").to_numpy(),
        uncalibrated=raw,
        slices=test.select(model.slices) if model.slices else None,
        clusters=numbered(test, model.bootstrap.cluster),
        bootstrap=model.bootstrap,
    )


def acts_from(model: Model, run: Run) -> float | None:
    """The threshold that a run is acted on from: the number that is declared, or the one that was chosen by cost."""
    if isinstance(model.threshold, int | float):
        return model.threshold
    return None if run.decided is None or run.decided.threshold is None else run.decided.threshold.value
