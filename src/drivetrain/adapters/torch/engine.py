"""Serving a PyTorch module natively, from TorchScript; :mod:`~drivetrain.adapters.torch.archive` says why from that."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.adapters.torch.archive import check_archive
from drivetrain.core.errors import MissingExtra, StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema
from drivetrain.core.trees import OUTPUTS

_WARM = ((1, 3), (64, 3))
"""(rows, calls): the interpreter watches its first calls and specialises; those take milliseconds."""


class TorchEngine:
    """A module that takes float32 rows of shape (n, fields) and gives predictions: (n,), (n, 1) or (n, classes).

    Of two columns the second, the positive class, is the answer, as of an ONNX graph, unless the archive says that both
    are told. Safe to share between threads: a
    frozen module has no state, and each call has its own tensors.

    Args:
        path: A TorchScript archive; weights alone, a pickle, or a program that does more than compute are refused.
        schema: What its rows hold.
        threads: How many an operator may use. PyTorch keeps one number for the process; it is set for a call and
            put back after it.

    Raises:
        StoreError: The file is no such program, or takes other rows.
        MissingExtra: PyTorch is not installed.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        if find_spec("torch") is None:
            raise MissingExtra("the torch adapter needs torch", do='Run: pip install "drivetrain[torch]"')
        check_archive(path)
        import torch  # noqa: PLC0415 - deferred: it takes seconds, and 200 MB

        self._torch, self._threads = torch, threads
        self._width = len(schema.fields)
        beside = {OUTPUTS: ""}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyTorch would have us use what archive.py says is not safe
                self._module = torch.jit.load(str(path), map_location="cpu", _extra_files=beside).eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise StoreError(f"{path} is no TorchScript archive: {_first_line(error)}") from None
        self._last = 1 if beside[OUTPUTS] in {"2", b"2"} else 2
        """Most columns of which the last is the answer."""
        try:
            for rows, calls in _WARM:
                for _ in range(calls):
                    said = self._ask(np.zeros((rows, self._width), dtype=np.float32))
        except RuntimeError as error:
            raise StoreError(
                f"{path} does not take rows of {self._width} columns",
                found=_first_line(error),
                expected=f"one tensor of shape (n, {self._width})",
            ) from None
        if said.ndim not in {1, 2} or len(said) != rows:
            raise StoreError(
                f"{path} gives no prediction a row", found=said.shape, expected=f"({rows},) or ({rows}, k)"
            )

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, outputs) where an answer has several numbers."""
        matrix = np.ascontiguousarray(rows, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        answers = self._ask(matrix)
        return answers if answers.ndim == 1 or answers.shape[1] > self._last else answers[:, -1]

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same for one row."""
        if len(row) != self._width:
            raise StoreError("a row of another length", found=len(row), expected=self._width)
        answer: float | list[float] = self.predict(np.array([row], dtype=np.float32))[0].tolist()
        return answer

    def explain(self, rows: Matrix) -> None:
        """Not known of a module."""

    def _ask(self, rows: np.ndarray) -> np.ndarray:
        torch: Any = self._torch
        before = torch.get_num_threads()
        if before != self._threads:
            torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                answers: np.ndarray = self._module(torch.from_numpy(rows)).numpy()
        finally:
            if before != self._threads:
                torch.set_num_threads(before)
        return answers.astype(np.float64)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next(
        (line for line in reversed(lines) if line.startswith("RuntimeError")), lines[0] if lines else repr(error)
    )
    return said.partition(" This is an internal miniz error")[0]
