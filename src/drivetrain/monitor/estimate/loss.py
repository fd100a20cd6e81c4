"""Direct loss estimation (DLE) of a number: a model of how far off the model is, asked about rows without labels.

Trees learn each row's absolute and squared error from its features and prediction on the evaluation's rows (NannyML,
2022). How far they can be trusted is found on rows of days that they did not learn from: errors are taken to scatter
in proportion to what is expected of them, from row to row and from day to day.
"""

from __future__ import annotations

import math
import tempfile
import zlib
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core import plugins
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Field, InputSchema, Measure
from drivetrain.evaluate.bootstrap import MIN_BLOCKS
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import t_quantile
from drivetrain.monitor.estimate.sample import spaced

MOST_ROWS = 20_000
_FOLDS = 3
_TREES = {"num_leaves": 31, "num_iterations": 100, "learning_rate": 0.1, "min_data_in_leaf": 20}
PREDICTION = "the prediction itself"


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """A model of one loss, and how far off it was on days that it had not seen.

    Attributes:
        trees: LightGBM's text, compressed.
        scale: What its answers are multiplied by, so that they were right on average.
        scale_error: Standard error of that.
        scatter: Variance of a row's loss around its expectation, over the expectation's square.
        shock: The same of what a day shares, as a standard deviation.
    """

    trees: bytes
    scale: float
    scale_error: float
    scatter: float
    shock: float


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """Models of both losses, and how many days they rest on."""

    absolute: Loss
    squared: Loss
    days: int


def learn_losses(
    values: Floats, predictions: Floats, labels: Floats, days: npt.NDArray[np.int64], schema: InputSchema
) -> Losses:
    """Learns how far off predictions are.

    Args:
        values: Encoded input rows, shape (n, fields).
        predictions: What the model says to them, shape (n,).
        labels: What came, shape (n,).
        days: Day of each row.
        schema: The model's input.
    """
    picks = spaced(len(labels), MOST_ROWS)
    rows = np.column_stack([values, predictions])[picks]
    apart, day = np.abs(labels - predictions)[picks], days[picks]
    return Losses(
        absolute=_learn(rows, apart, day, schema),
        squared=_learn(rows, apart**2, day, schema),
        days=len(np.unique(day)),
    )


def estimate_losses(
    losses: Losses,
    values: Floats,
    predictions: Floats,
    days: npt.NDArray[np.int64],
    schema: InputSchema,
    level: float = 0.95,
) -> dict[str, Measure]:
    """Mean absolute error, and root mean squared error, without labels.

    Args:
        losses: What was learned on the evaluation's rows.
        values: Encoded input rows, shape (n, fields).
        predictions: What the model says to them, shape (n,).
        days: Day of each row.
        schema: The model's input.
        level: Coverage of the intervals.
    """
    if not len(predictions):
        return {}
    rows = np.column_stack([values, predictions])
    found: dict[str, Measure] = {}
    for name, loss, root in (("mae", losses.absolute, 1.0), ("rmse", losses.squared, 2.0)):
        expected = _ask(loss.trees, rows, schema)
        value = loss.scale * float(expected.mean())
        of_day = np.bincount(np.unique(days, return_inverse=True)[1], weights=expected)
        whole = float(expected.sum())
        spread = loss.scale_error**2
        spread += loss.scatter * float(np.square(expected).sum()) / whole**2
        spread += loss.shock**2 * float(np.square(of_day).sum()) / whole**2
        wide = t_quantile(0.5 + level / 2, losses.days - 1) if losses.days >= MIN_BLOCKS else None
        low = high = None
        if wide is not None:
            factor = math.exp(wide * math.sqrt(spread) / loss.scale)
            low, high = (value / factor) ** (1 / root), (value * factor) ** (1 / root)
        found[name] = Measure(value ** (1 / root), low, high, len(predictions), level)
    return found


def _learn(rows: Floats, losses: Floats, days: npt.NDArray[np.int64], schema: InputSchema) -> Loss:
    known, day = np.unique(days, return_inverse=True)
    fold = (day if len(known) >= _FOLDS else np.arange(len(day))) % _FOLDS
    expected = np.empty(len(losses))
    for out in range(_FOLDS):
        aside = fold == out
        expected[aside] = _ask(_fit(rows[~aside], losses[~aside], schema), rows[aside], schema)
    whole = float(expected.sum())
    scale = float(losses.sum()) / whole
    apart = losses - scale * expected
    of_day, sums = np.bincount(day, weights=apart), np.bincount(day, weights=expected)
    scatter = float(np.square(apart).sum() / np.square(expected).sum())
    luck = scatter * np.bincount(day, weights=expected**2)
    shock = float((of_day**2 - luck).sum() / np.square(sums).sum())
    few = len(known) / max(len(known) - 1, 1)
    return Loss(
        trees=_fit(rows, losses, schema),
        scale=scale,
        scale_error=math.sqrt(float(np.square(of_day).sum()) * few) / whole,
        scatter=scatter,
        shock=math.sqrt(max(shock, 0.0)),
    )


def _whole(schema: InputSchema) -> InputSchema:
    return InputSchema((*schema.fields, Field(PREDICTION)))


def _fit(rows: Floats, losses: Floats, schema: InputSchema) -> bytes:
    trainer = plugins.load("trainer", "lightgbm")(**_TREES)
    fitted = trainer.fit(
        FitTask(
            rows=rows, labels=losses, kind="regression", schema=_whole(schema), parameters={}, seed=0, threads=1,
            metric="rmse",
        )
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        name = next(name for name, form in fitted.save(Path(folder)) if form == "lightgbm")
        return zlib.compress((Path(folder) / name).read_bytes(), 9)


def _ask(trees: bytes, rows: Floats, schema: InputSchema) -> Floats:
    """Expected losses; trees may answer a little below nothing, which no loss is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "losses.txt"
        path.write_bytes(zlib.decompress(trees))
        answers = plugins.load("engine", "lightgbm")(path, _whole(schema)).predict(rows)
    least = 1e-3 * float(np.abs(answers).mean()) + 1e-300
    return np.maximum(np.asarray(answers, np.float64), least)
