"""Serving a Keras model natively, from its configuration and weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.keras.configuration import strange_parts
from drivetrain.adapters.keras.library import library, margins
from drivetrain.core import plugins
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

CONFIGURATION, WEIGHTS = "configuration.json", "weights.safetensors"


class KerasEngine:
    """A Keras model. Safe to share between threads: a call changes nothing.

    Args:
        path: A zip of the model's configuration, its weights as safetensors, and what stands around it. Anything but
            Keras's own layers is refused.
        schema: What its rows hold.
        threads: How many an operator may use, where the backend is PyTorch; other backends have their own.

    Raises:
        StoreError: The file is no such model, holds what may run code, or reads other columns.
        MissingExtra: Keras, or a backend, is not installed.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        keras = library()
        self._network, (told, weights) = plugins.load("unpack", "numpy")(
            path, (CONFIGURATION, WEIGHTS), len(schema.fields)
        )
        self._prepare, self._answer = plugins.load("prepare", "numpy"), plugins.load("answer", "numpy")
        self._threads, self._width = threads, len(schema.fields)
        self._model: Any = None
        try:
            configuration = msgspec.json.decode(told)
            strange = strange_parts(configuration)
            if strange:
                raise StoreError(f"{path} holds what is not trusted", found=", ".join(strange))
            self._model = keras.saving.deserialize_keras_object(configuration, safe_mode=True)
            restore(self._model, weights)
        except (msgspec.MsgspecError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{path} is no Keras model: {str(error).partition(chr(10))[0]}") from None
        self._empty = self._said(np.full((1, self._width), np.nan))[:0]

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) for more than two classes."""
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        return self._said(matrix) if len(matrix) else self._empty

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row."""
        if len(row) != self._width:
            raise StoreError("a row of another length", found=len(row), expected=self._width)
        answer: float | list[float] = self._said(np.array([row], dtype=np.float64))[0].tolist()
        return answer

    def explain(self, rows: Matrix) -> None:
        """Not known of a network."""

    def _said(self, rows: np.ndarray) -> np.ndarray:
        inputs = self._prepare(self._network.preparation, rows)
        answers: np.ndarray = self._answer(self._network, margins(self._model, inputs, self._threads))
        return answers


def restore(model: Any, weights: bytes) -> None:  # noqa: ANN401 - keras is an extra
    """Gives a model its weights.

    Raises:
        ValueError: They are another model's.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - deferred: an extra
    from safetensors.numpy import load  # noqa: PLC0415 - as above

    try:
        held = load(weights)
    except SafetensorError as error:
        raise ValueError(f"its weights are not whole: {error}") from None
    model.set_weights([held[str(at)] for at in range(len(held))])
