"""Serving a pipeline natively, from skops: for what ONNX can't hold."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.sklearn.additive import KEPT_AS
from drivetrain.adapters.sklearn.pipeline import answers
from drivetrain.adapters.sklearn.skops import skops_io
from drivetrain.adapters.sklearn.trust import TRUSTED, strange_types
from drivetrain.core.additive import Additive
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

_PICKLE = b"\x80"
_additive = msgspec.json.Decoder(Additive).decode
"""Made once, before there are threads: two that make one at the same moment crash the process."""


class SklearnEngine:
    """A scikit-learn pipeline. Safe to share between threads: predicting changes nothing.

    Args:
        path: A skops file; a pickle is refused, as is a type beyond scikit-learn's own.
        schema: What its rows hold.
        threads: How many its libraries may use.

    Raises:
        StoreError: The file is no such model, or holds something that is not trusted.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - deferred with scikit-learn

        self._fitted = self._loaded(path)
        terms = getattr(self._fitted, KEPT_AS, None)
        self._additive = None if terms is None else _additive(terms)
        self._pools, self._threads = ThreadpoolController(), threads
        self._width = len(schema.fields)
        if self._fitted.n_features_in_ != self._width:
            raise StoreError(
                f"{path} reads other columns",
                found=f"{self._fitted.n_features_in_} columns",
                expected=f"{self._width} fields",
            )

    def _loaded(self, path: Path) -> Any:  # noqa: ANN401 - sklearn has no types
        return load(path)

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) for more than two classes."""
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        if not len(matrix):
            return np.empty(0)
        with self._pools.limit(limits=self._threads):
            return answers(self._fitted, matrix)

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row; a pipeline takes milliseconds."""
        answer: float | list[float] = self.predict(np.array([row], dtype=np.float64))[0].tolist()
        return answer

    def explain(self, rows: Matrix) -> np.ndarray | None:
        """Exact contributions of a linear pipeline fitted by drivetrain; none of others."""
        return None if self._additive is None else np.array(self._additive.explain(np.asarray(rows).tolist()))


def load(path: Path) -> Any:  # noqa: ANN401 - sklearn has no types
    """A pipeline from a skops file.

    Raises:
        StoreError: As :class:`SklearnEngine`.
    """
    skops = skops_io()
    with path.open("rb") as file:
        if file.read(1) == _PICKLE:
            raise StoreError(
                f"{path} is a pickle: loading one can run anything",
                expected="a skops file",
                do="Load it where you trust it, and save it with skops.io.dump",
            )
    try:
        strange = strange_types(path)
        if strange:
            raise StoreError(f"{path} holds types that are not trusted", found=", ".join(strange))
        return skops.load(path, trusted=sorted(TRUSTED))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise StoreError(f"{path} is no skops file: {error}") from None
