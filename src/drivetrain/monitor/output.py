"""What is watched of a model's answers: one number, or one class, of each."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.records import Field, Task
from drivetrain.evaluate.ranking import Floats

OUTPUT = "prediction"


def output_of(predictions: Floats, task: Task) -> tuple[Field, Floats]:
    """One column of answers.

    Args:
        predictions: Shape (n,), or (n, outputs).
        task: What they tell.

    Returns:
        Of classes the likeliest, as a category; of quantiles the one in the middle; of several labels how many are
        expected; else the answer itself.
    """
    if task.kind == "multiclass":
        likeliest = predictions.argmax(axis=1).astype(np.float64)
        return Field(OUTPUT, "category", task.classes), np.where(
            np.isfinite(predictions).all(axis=1), likeliest, np.nan
        )
    if predictions.ndim == 1:
        return Field(OUTPUT), predictions
    if task.kind == "quantile":
        return Field(OUTPUT), np.ascontiguousarray(predictions[:, predictions.shape[1] // 2])
    return Field(OUTPUT), predictions.sum(axis=1)


def outputs_logged(rows: pl.DataFrame, task: Task) -> Floats:
    """Answers of a prediction log, shape (n,), or (n, outputs) where there are several.

    A row has NaN where the log holds none, or one of another number of outputs: that of a version before it.
    """
    if task.outputs == 1:
        return rows["prediction"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    lost = [float("nan")] * task.outputs
    return np.array(
        [lost if scores is None or len(scores) != task.outputs else scores for scores in rows["scores"].to_list()],
        np.float64,
    ).reshape(len(rows), task.outputs)
