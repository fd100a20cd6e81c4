"""XGBoost's C interface: what serving needs, without its Python package (which imports scikit-learn and scipy).

In-place prediction through Python takes about three times as long for one row as the call beneath it.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import re
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_uint64, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.core.errors import MissingExtra, StoreError

VALUES = 0
CONTRIBUTIONS = 2

_PLACE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")
"""Where and when in XGBoost's own source an error was met."""
_NAMES = ("libxgboost.so", "libxgboost.dylib", "xgboost.dll")
_SHAPE = [POINTER(POINTER(c_uint64)), POINTER(c_uint64), POINTER(POINTER(c_float))]
_SIGNATURES: dict[str, list[Any]] = {
    "XGBoosterCreate": [c_void_p, c_uint64, POINTER(c_void_p)],
    "XGBoosterFree": [c_void_p],
    "XGBoosterLoadModelFromBuffer": [c_void_p, c_char_p, c_uint64],
    "XGBoosterSetParam": [c_void_p, c_char_p, c_char_p],
    "XGBoosterGetNumFeature": [c_void_p, POINTER(c_uint64)],
    "XGBoosterPredictFromDense": [c_void_p, c_char_p, c_char_p, c_void_p, *_SHAPE],
    "XGBoosterPredictFromDMatrix": [c_void_p, c_void_p, c_char_p, *_SHAPE],
    "XGDMatrixCreateFromDense": [c_char_p, c_char_p, POINTER(c_void_p)],
    "XGDMatrixFree": [c_void_p],
}


@cache
def library() -> ctypes.CDLL:
    """The library, its calls let other threads run meanwhile.

    Raises:
        MissingExtra: XGBoost is not installed.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin while they wait ruin shared cores
    calls = ctypes.CDLL(str(_path()))
    for name, arguments in _SIGNATURES.items():
        call = getattr(calls, name)
        call.argtypes, call.restype = arguments, c_int
    calls.XGBGetLastError.restype = c_char_p
    return calls


def check(code: int, doing: str) -> None:
    """Turns a failed call into an error.

    Raises:
        StoreError: The call failed; XGBoost's own words are in the message, but for its stack.
    """
    if code:
        said = (library().XGBGetLastError() or b"").decode(errors="replace").strip().partition("\n")[0]
        raise StoreError(f"XGBoost could not {doing}: {_PLACE.sub('', said)}")


def open_booster(path: Path, threads: int) -> c_void_p:
    """Loads a model file, UBJSON or JSON.

    Raises:
        StoreError: The file is no such model.
    """
    handle, calls = c_void_p(), library()
    check(calls.XGBoosterCreate(None, 0, byref(handle)), "make a model")
    try:
        data = path.read_bytes()
        if not data.startswith(b"{"):
            raise StoreError(f"{path} is no XGBoost model", expected="UBJSON or JSON, as Booster.save_model writes")
        check(calls.XGBoosterLoadModelFromBuffer(handle, data, len(data)), f"read {path}")
        check(calls.XGBoosterSetParam(handle, b"nthread", str(threads).encode()), "set its threads")
    except StoreError:
        calls.XGBoosterFree(handle)
        raise
    return handle


def width(handle: c_void_p) -> int:
    """How many features a model reads."""
    count = c_uint64()
    check(library().XGBoosterGetNumFeature(handle, byref(count)), "count features")
    return count.value


def configuration(kind: int) -> bytes:
    """What a prediction is asked for: every tree, nulls as NaN."""
    asked = {
        "type": kind, "training": False, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False,
        "missing": math.nan, "cache_id": 0,
    }  # fmt: skip
    return json.dumps(asked).encode()


def described(rows: np.ndarray) -> bytes:
    """Numpy's array interface as JSON: how the library is shown rows."""
    shown = {"data": [rows.ctypes.data, True], "shape": rows.shape, "typestr": rows.dtype.str, "version": 3}
    return json.dumps(shown).encode()


def predict_dense(handle: c_void_p, rows: bytes, asked: bytes) -> np.ndarray:
    """In-place prediction: no copy of the rows is made.

    Returns:
        A copy of the answers: the library's own are gone with this thread's next call.
    """
    shape, axes, answers = POINTER(c_uint64)(), c_uint64(), POINTER(c_float)()
    code = library().XGBoosterPredictFromDense(handle, rows, asked, None, byref(shape), byref(axes), byref(answers))
    if code:
        check(code, "answer")
    return np.ctypeslib.as_array(answers, shape[: axes.value]).astype(np.float64)


def predict_matrix(handle: c_void_p, rows: np.ndarray, asked: bytes) -> np.ndarray:
    """Prediction from a matrix of the library's own, for what in-place prediction does not offer."""
    calls, matrix = library(), c_void_p()
    made = calls.XGDMatrixCreateFromDense(described(rows), b'{"missing": NaN, "nthread": 1}', byref(matrix))
    check(made, "take the rows")
    try:
        shape, axes, answers = POINTER(c_uint64)(), c_uint64(), POINTER(c_float)()
        code = calls.XGBoosterPredictFromDMatrix(handle, matrix, asked, byref(shape), byref(axes), byref(answers))
        check(code, "explain")
        return np.ctypeslib.as_array(answers, shape[: axes.value]).astype(np.float64)
    finally:
        calls.XGDMatrixFree(matrix)


def _path() -> Path:
    spec = find_spec("xgboost")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for name in _NAMES:
            if (path := Path(place) / "lib" / name).is_file():
                return path
    raise MissingExtra("the xgboost adapter needs xgboost", do='Run: pip install "drivetrain[xgboost]"')
