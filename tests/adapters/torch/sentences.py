"""A transformer for rows of the trainers' suite: each value becomes a word, so that what is read is tokens."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from drivetrain.core.protocols import FitTask, Fitted
from drivetrain.core.records import Field, InputSchema
from drivetrain.train.trainers import Transformer
from train.text.pretrained import write_bert

STEPS = 10
TOKENS = InputSchema(tuple(Field(f"row.text token {at}", "text") for at in range(5)))


def sentences(rows: Any) -> np.ndarray:
    """A token for each value: which column, and in which of ten steps it lies; null is one of its own."""
    values = np.asarray(rows)
    low, high = np.array([-50.0, 0.0, 0.0, 0.0, -3.0]), np.array([70.0, 30.0, 4.0, 4.0, 3.0])
    steps = np.clip((values - low) / (high - low) * STEPS, 0, STEPS - 1)
    places = np.where(np.isnan(values), STEPS, np.floor(steps))
    return 1.0 + places + (STEPS + 1) * np.arange(5)


@cache
def folder() -> Path:
    """A model that has learned nothing, the same in every process."""
    made = Path(tempfile.mkdtemp(prefix="drivetrain-bert-"))
    write_bert(made, 5 * (STEPS + 1))
    return made


class Sentences:
    """A transformer that is given rows as sentences."""

    name, engine = "transformer", "torch"

    def __init__(self) -> None:
        self._trainer = Transformer(str(folder()), lr=1e-3, batch=64, epochs=4)

    def fit(self, task: FitTask) -> Fitted:
        """Fits it on what becomes of the rows."""
        valid = None if task.valid_rows is None else sentences(task.valid_rows)
        return _Read(self._trainer.fit(replace(task, rows=sentences(task.rows), valid_rows=valid, schema=TOKENS)))


class _Read:
    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted

    def predict(self, rows: Any) -> np.ndarray:
        return np.asarray(self._fitted.predict(sentences(rows)))
