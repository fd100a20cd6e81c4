"""Serving a program of JAX's: StableHLO, which holds weights and arithmetic, and needs none of the module's code."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drivetrain.adapters.flax.library import library
from drivetrain.core import plugins
from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

PROGRAM = "program.stablehlo"

_MOST = 1_024
"""Rows at most in a call: a program is compiled for each size, and sizes are powers of two."""

_WARM = (1, 64)

_CALLS = re.compile(r"custom_call\s*@([\w.]+)")
_OWN_CALLS = {"shape_assertion"}
"""What JAX writes into any program that takes any number of rows: that this number is one or more."""


class FlaxEngine:
    """A program that takes float32 inputs (n, width) and gives margins (n, outputs).

    Safe to share between threads. A batch is cut into pieces of powers of two, the last filled up with zeros: for each
    size XLA compiles once, in some 50 ms; those of 1 and 64 rows are compiled when it is opened.

    Args:
        path: A zip of the program and of what stands around it; one that calls anything outside itself is refused.
        schema: What its rows hold.
        threads: One is used whatever is given: XLA's can't be counted.

    Raises:
        StoreError: The file is no such program, or reads other columns.
        MissingExtra: JAX is not installed.
    """

    def __init__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> None:
        del threads
        jax = library()
        export = importlib.import_module("jax.export")
        self._network, (program,) = plugins.load("unpack", "numpy")(path, (PROGRAM,), len(schema.fields))
        self._prepare, self._answer = plugins.load("prepare", "numpy"), plugins.load("answer", "numpy")
        self._width = len(schema.fields)
        try:
            exported = export.deserialize(bytearray(program))
            text = exported.mlir_module()
        except Exception as error:  # noqa: BLE001 - JAX's parsers raise what they like
            raise StoreError(f"{path} is no program of JAX's: {str(error).partition(chr(10))[0]}") from None
        if set(_CALLS.findall(text)) - _OWN_CALLS or exported.ordered_effects or exported.unordered_effects:
            raise StoreError(f"{path} calls what is outside it", expected="a program that only computes")
        self._call = jax.jit(exported.call)
        for rows in _WARM:
            empty = self._said(np.full((rows, self._width), np.nan))
        self._empty = empty[:0]

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values, shape (n,); (n, classes) for more than two classes."""
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        pieces = [self._said(matrix[at : at + _MOST]) for at in range(0, len(matrix), _MOST)]
        return np.concatenate(pieces) if pieces else self._empty

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
        whole = np.zeros((1 << (len(rows) - 1).bit_length(), inputs.shape[1]), dtype=np.float32)
        whole[: len(rows)] = inputs
        answers: np.ndarray = self._answer(self._network, np.asarray(self._call(whole))[: len(rows)])
        return answers
