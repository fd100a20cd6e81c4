"""Serving trees: one row at a time through LightGBM's single-row-fast call, many through its matrix call."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from ctypes import addressof, byref, c_int64, c_void_p
from pathlib import Path
from struct import Struct
from threading import Lock

import numpy as np

from drivetrain.adapters.lightgbm.library import (
    CONTRIBUTIONS,
    FLOAT64,
    NORMAL,
    check,
    held_library,
    library,
    on_threads,
    open_booster,
    patient,
    row_buffer,
)
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

LINEAR_LEAVES = b"\nis_linear=1"
"""In the text of a model whose leaves are linear models."""


class LightGBMEngine:
    """A LightGBM text model, answering bit for bit as ``Booster.predict`` does; a row on the calling thread alone.

    Safe to share between threads: a row is written and answered under a lock (its buffers are made once and kept),
    and a batch has buffers of its own.

    Args:
        path: The model file.
        schema: What its rows hold; must have as many fields as the model has features.
        threads: How many a batch may be computed on; one where they would spin (see ``patient``).

    Raises:
        StoreError: The file is no such model.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        self._booster, self._width, self._classes = open_booster(path)
        weakref.finalize(self, library().LGBM_BoosterFree, self._booster)
        if self._width != len(schema.fields):
            raise StoreError(
                f"{path} reads other columns", found=f"{self._width} features", expected=f"{len(schema.fields)} fields"
            )
        self._linear = LINEAR_LEAVES in path.read_bytes()
        self._threads = on_threads(threads if patient() else 1)
        self._lock = Lock()
        self._row, self._answer, self._count = row_buffer(self._width), row_buffer(self._classes), c_int64()
        self._pack = Struct(f"={self._width}d").pack_into
        self._fast = c_void_p()
        check(
            library().LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster, NORMAL, 0, -1, FLOAT64, self._width, on_threads(1), byref(self._fast)
            ),
            "prepare for single rows",
        )
        weakref.finalize(self, library().LGBM_FastConfigFree, self._fast)
        self._call = held_library().LGBM_BoosterPredictForMatSingleRowFast
        self._places = (c_void_p(addressof(self._row)), byref(self._count), c_void_p(addressof(self._answer)))

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) for more than two classes."""
        answers = self._matrix(rows, NORMAL, self._classes)
        return answers[:, 0] if self._classes == 1 else answers

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row."""
        with self._lock:
            self._pack(self._row, 0, *row)
            code = self._call(self._fast, *self._places)
            answer: list[float] = self._answer[:]
        if code:
            check(code, "answer a row")
        return answer[0] if self._classes == 1 else answer

    def explain(self, rows: Matrix) -> np.ndarray | None:
        """Exact SHAP values of the margin (Lundberg et al., 2020), the expected value last.

        Shape (n, fields + 1), or (n, classes, fields + 1); none where leaves are linear models themselves.
        """
        if self._linear:
            return None
        values = self._matrix(rows, CONTRIBUTIONS, self._classes * (self._width + 1))
        return values if self._classes == 1 else values.reshape(-1, self._classes, self._width + 1)

    def _matrix(self, rows: Matrix, kind: int, width: int) -> np.ndarray:
        matrix = np.ascontiguousarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        answers = np.empty((len(matrix), width), dtype=np.float64)
        if len(matrix):
            count = c_int64()
            code = library().LGBM_BoosterPredictForMat(
                self._booster, matrix.ctypes.data, FLOAT64, len(matrix), self._width, 1, kind, 0, -1, self._threads,
                byref(count), answers.ctypes.data,
            )  # fmt: skip
            check(code, "answer a batch")
        return answers
