"""Serving a linear model: a few products of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.adapters.linear.model import LinearModel
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

_decode = msgspec.json.Decoder(LinearModel).decode  # not made in a thread


class Linear:
    """A linear model, which explains itself exactly. Safe to share between threads: predicting changes nothing.

    Args:
        model: Its numbers.
        schema: What its rows hold; must have as many fields as the model has columns.

    Raises:
        StoreError: It has not.
    """

    def __init__(self, model: LinearModel, schema: InputSchema) -> None:
        self._width = len(schema.fields)
        shapes = {np.shape(each) for each in (model.slopes, model.zeros, model.nulls)}
        if shapes != {(len(model.base), self._width)}:
            raise StoreError(
                "a linear model reads other columns", found=sorted(shapes), expected=f"{self._width} fields"
            )
        if set(model.codes) != set(schema.category_positions):
            raise StoreError(
                "a linear model reads other categories",
                found=sorted(model.codes),
                expected=list(schema.category_positions),
            )
        self._answers = model.answers
        self._base = np.array(model.base)
        self._slopes, self._zeros, self._nulls = (np.array(each) for each in (model.slopes, model.zeros, model.nulls))
        self._codes = {at: np.array(codes) for at, codes in model.codes.items()}
        self._still = self._base + self._zeros.sum(axis=1)

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) for several classes."""
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        # A row alone and the same row among others must be answered alike, to the last bit: a product of two matrices
        # adds up in an order that depends on how many there are.
        margins = np.array([self._margins(row) for row in matrix]).reshape(len(matrix), len(self._base))
        return self._answered(margins)

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row."""
        if len(row) != self._width:
            raise StoreError("a row of another length", found=len(row), expected=self._width)
        answer: float | list[float] = self._answered(self._margins(np.array(row, dtype=np.float64))[None, :])[
            0
        ].tolist()
        return answer

    def explain(self, rows: Matrix) -> np.ndarray:
        """What each column adds to the margin of each output, exactly, the mean margin last.

        Shape (n, fields + 1), or (n, classes, fields + 1).
        """
        matrix = np.asarray(rows, dtype=np.float64)
        made = np.empty((len(matrix), len(self._base), self._width + 1))
        made[..., -1] = self._base
        for at in range(len(self._base)):
            made[:, at, :-1] = np.where(np.isnan(matrix), self._nulls[at], self._zeros[at] + self._slopes[at] * matrix)
            for place, codes in self._codes.items():
                made[:, at, place] = self._coded(matrix[:, place], codes)[:, at]
        return made[:, 0] if self._answers != "softmax" else made

    def _margins(self, row: np.ndarray) -> np.ndarray:
        known = row == row  # noqa: PLR0124 - only NaN differs from itself
        if known.all() and not self._codes:
            return np.asarray(self._still + self._slopes @ row)
        margins: np.ndarray = self._still + self._slopes @ np.where(known, row, 0.0)
        gaps = np.flatnonzero(~known)
        margins += (self._nulls[:, gaps] - self._zeros[:, gaps]).sum(axis=1)
        for at, codes in self._codes.items():
            margins += self._coded(row[at : at + 1], codes)[0]
        return margins

    def _coded(self, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """What codes add; null, and a code that there is not, as the last of them."""
        known = (values >= 0) & (values < len(codes) - 1)
        picked: np.ndarray = codes[np.where(known, values, len(codes) - 1).astype(np.intp)]
        return picked

    def _answered(self, margins: np.ndarray) -> np.ndarray:
        if self._answers == "softmax":
            shares = np.exp(margins - margins.max(axis=1, keepdims=True))
            return np.asarray(shares / shares.sum(axis=1, keepdims=True))
        if self._answers == "identity":
            return margins[:, 0]
        return np.asarray(1 / (1 + np.exp(-np.clip(margins[:, 0], -500, 500))))


class LinearEngine(Linear):
    """A linear model that was kept; see :class:`Linear`.

    Args:
        path: The model's file.
        schema: What its rows hold.
        threads: Of no use: it takes one.

    Raises:
        StoreError: The file is no such model.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:  # noqa: ARG002 - as they are opened
        try:
            super().__init__(_decode(path.read_bytes()), schema)
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(f"{path} is no linear model: {error}") from None
