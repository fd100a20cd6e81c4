"""An evaluation with what is declared of reading answers: calibration, acting, coverage, on the rows it judged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from drivetrain.core.records import Decided, Decider, Evaluation
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.deciding.acting import acting
from drivetrain.evaluate.deciding.covering import covering
from drivetrain.evaluate.measures import comparisons, resample_answers
from drivetrain.evaluate.metrics.answers import Answers

RAW = "itself, before it is calibrated"


def decided_on(
    evaluation: Evaluation,
    decider: Decider,
    decided: Decided,
    predictions: npt.ArrayLike,
    labels: npt.ArrayLike,
    ats: npt.ArrayLike,
    *,
    uncalibrated: npt.ArrayLike | None = None,
    slices: pl.DataFrame | None = None,
    clusters: npt.NDArray[np.int64] | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> Evaluation:
    """The evaluation, with what comes of reading the answers that it judges.

    Args:
        evaluation: What is known of them.
        decider: How they are read.
        decided: How that came about.
        predictions: As they are served: of the shape that :func:`~drivetrain.evaluate.report.evaluate` takes.
        labels: As it takes them.
        ats: Moment of each, microseconds UTC, shape (n,).
        uncalibrated: What the model itself says, where that is calibrated.
        slices: Columns to tell coverage by, n rows.
        clusters: What is drawn whole in place of stretches of time.
        bootstrap: How intervals are made.
    """
    moments = np.asarray(ats, np.int64)
    resamples = draw(moments, bootstrap, clusters)
    answers = Answers(np.asarray(labels, np.float64), np.asarray(predictions, np.float64), evaluation.task)
    if decider.calibration is not None and uncalibrated is not None:
        raw = resample_answers(answers._replace(predictions=np.asarray(uncalibrated, np.float64)), resamples)
        ours = resample_answers(answers, resamples)
        gaps = comparisons(ours, raw, RAW, bootstrap.level, evaluation.task.kind)
        evaluation = replace(evaluation, uncalibrated=tuple(gaps))
    if decided.threshold is not None:
        acted = acting(decided.threshold, answers.predictions, answers.labels, resamples)
        evaluation = replace(evaluation, acting=acted)
    if decider.reach is not None:
        held = covering(decider.reach, answers, moments, resamples, slices)
        evaluation = replace(evaluation, covering=held)
    return evaluation
