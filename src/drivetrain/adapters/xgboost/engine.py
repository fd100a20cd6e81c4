"""Serving XGBoost's trees by in-place prediction."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drivetrain.adapters.xgboost.library import (
    CONTRIBUTIONS,
    VALUES,
    configuration,
    described,
    library,
    open_booster,
    predict_dense,
    predict_matrix,
    width,
)
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

_VALUES, _CONTRIBUTIONS = configuration(VALUES), configuration(CONTRIBUTIONS)


class XGBoostEngine:
    """An XGBoost model, answering bit for bit as ``Booster.inplace_predict`` does.

    What it answers is what the objective says: a probability for ``binary:logistic``, one a class for
    ``multi:softprob``, a value for regressions; the base score the model was fitted with is part of it. Safe to share
    between threads: in-place prediction is, and rows and answers are each call's own.

    Args:
        path: The model file, UBJSON or JSON.
        schema: What its rows hold; must have as many fields as the model has features.
        threads: How many a batch may be computed on.

    Raises:
        StoreError: The file is no such model.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        self._booster = open_booster(path, threads)
        weakref.finalize(self, library().XGBoosterFree, self._booster)
        self._width = width(self._booster)
        if self._width != len(schema.fields):
            raise StoreError(
                f"{path} reads other columns", found=f"{self._width} features", expected=f"{len(schema.fields)} fields"
            )
        self._shape = predict_dense(self._booster, described(np.zeros((1, self._width))), _VALUES).shape[1:]

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) where the objective has several."""
        matrix = np.ascontiguousarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        if not len(matrix):
            return np.empty((0, *self._shape))
        return predict_dense(self._booster, described(matrix), _VALUES)

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row."""
        if len(row) != self._width:
            raise StoreError("a row of another length", found=len(row), expected=self._width)
        matrix = np.array([row], dtype=np.float64)
        answer: float | list[float] = predict_dense(self._booster, described(matrix), _VALUES)[0].tolist()
        return answer

    def explain(self, rows: Matrix) -> np.ndarray:
        """Exact SHAP values of the margin (Lundberg et al., 2020) in 32 bits, the expected value last.

        Shape (n, fields + 1), or (n, classes, fields + 1).
        """
        matrix = np.ascontiguousarray(rows, dtype=np.float64)
        return predict_matrix(self._booster, matrix, _CONTRIBUTIONS)
