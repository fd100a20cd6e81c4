"""Serving an ONNX graph, in the floats it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.core.additive import ADDITIVE, Additive
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema
from drivetrain.core.trees import OUTPUTS

_FLOATS = {"tensor(float)": np.float32, "tensor(double)": np.float64}

_additive = msgspec.json.Decoder(Additive).decode
"""Made once, before there are threads: two that make one at the same moment crash the process."""


class OnnxEngine:
    """An ONNX model with one input of shape (n, fields), of 32-bit or 64-bit floats.

    Its last output is the answer: of two columns the second (the positive class) unless the graph says that both are
    told, a single column as a vector, more as they are. Safe to share between threads: a session is, and nothing else
    is kept between calls.

    Args:
        path: The model file.
        schema: What its rows hold.
        threads: How many an operator may use.

    Raises:
        StoreError: The file is no such model.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        import onnxruntime  # noqa: PLC0415 - deferred: a native library

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - its errors share no base class
            raise StoreError(f"{path} is no ONNX model: {error}") from None
        inputs = self._session.get_inputs()
        width = len(schema.fields)
        if len(inputs) != 1 or inputs[0].shape[-1] not in (width, None):
            raise StoreError(
                f"{path} reads other columns", found=[each.shape for each in inputs], expected=f"one input (n, {width})"
            )
        if inputs[0].type not in _FLOATS:
            raise StoreError(f"{path} reads {inputs[0].type}", expected=" or ".join(_FLOATS))
        self._float = _FLOATS[inputs[0].type]
        self._input = inputs[0].name
        self._outputs = [self._session.get_outputs()[-1].name]
        self._width = width
        said = self._session.get_modelmeta().custom_metadata_map
        self._last = 1 if said.get(OUTPUTS) == "2" else 2
        """Most columns of which the last is the answer."""
        terms = said.get(ADDITIVE)
        self._additive = None if terms is None else _additive(terms)

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, outputs) where an answer has several numbers."""
        matrix = np.ascontiguousarray(rows, dtype=self._float)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        answers = np.asarray(self._session.run(self._outputs, {self._input: matrix})[0], dtype=np.float64)
        if answers.ndim == 1 or answers.shape[1] > self._last:
            return answers
        return answers[:, -1]

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row."""
        if len(row) != self._width:
            raise StoreError("a row of another length", found=len(row), expected=self._width)
        answer: np.ndarray = self._session.run(self._outputs, {self._input: np.array([row], dtype=self._float)})[0][0]
        if answer.ndim == 0:
            return float(answer)
        return float(answer[-1]) if len(answer) <= self._last else [float(value) for value in answer]

    def explain(self, rows: Matrix) -> np.ndarray | None:
        """Exact contributions where whoever made the graph wrote its terms into it; none of other graphs."""
        return None if self._additive is None else np.array(self._additive.explain(np.asarray(rows).tolist()))
