"""Serving CatBoost's trees by its own library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.adapters.catboost.pool import answers, library, order, pool
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema


class CatBoostEngine:
    """A CatBoost model, answering bit for bit as its ``predict`` does. Safe to share between threads.

    Args:
        path: A ``.cbm`` file; it holds numbers and tables, and nothing that runs.
        schema: What its rows hold; its categories must stand where the model's do.
        threads: How many a batch may be computed on.

    Raises:
        StoreError: The file is no such model, or reads other columns.
        MissingExtra: CatBoost is not installed.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        catboost = library()
        self._model = catboost.CatBoost()
        try:
            self._model.load_model(str(path), format="cbm")
        except catboost.CatBoostError as error:
            said = str(error).partition("\n")[0].partition(": ")[2]
            raise StoreError(f"{path} is no CatBoost model: {said}") from None
        self._schema, self._threads, self._order = schema, threads, order(schema)
        reads = sorted(self._model.feature_names_, key=lambda name: int(name[1:]))
        kinds = {int(self._model.feature_names_[at][1:]) for at in self._model.get_cat_feature_indices()}
        if len(reads) != len(schema.fields) or kinds != set(schema.category_positions):
            raise StoreError(
                f"{path} reads other columns",
                found=f"{len(reads)} features, {len(kinds)} of them categories",
                expected=f"{len(schema.fields)} fields, {len(schema.category_positions)} of them categories",
            )
        said = msgspec.json.decode(self._model.get_metadata()["params"])
        self._loss: str = said["loss_function"]["type"]
        self._empty = np.asarray(self._said(np.full((1, len(schema.fields)), np.nan)))[:0]

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) where there are several."""
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(self._schema.fields):
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {len(self._schema.fields)})")
        return self._said(matrix) if len(matrix) else self._empty

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row; it takes some 200 µs."""
        answer: float | list[float] = self.predict(np.array([row], dtype=np.float64))[0].tolist()
        return answer

    def explain(self, rows: Matrix) -> np.ndarray | None:
        """SHAP values of the margin (Lundberg et al., 2020), the expected value last; none of several classes."""
        if self._empty.ndim > 1:
            return None
        data = pool(self._schema, rows)
        values = self._model.get_feature_importance(type="ShapValues", data=data, thread_count=self._threads)
        found = np.empty(np.shape(values))
        found[:, [*self._order, -1]] = values
        return found

    def _said(self, rows: np.ndarray) -> np.ndarray:
        return answers(self._model, pool(self._schema, rows), self._loss, self._threads)
