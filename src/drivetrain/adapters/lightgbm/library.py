"""LightGBM's C interface: the calls that serving needs, without importing its Python package (and pandas with it)."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int32, c_int64, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from drivetrain.core.errors import MissingExtra, StoreError

L = TypeVar("L", bound=ctypes.CDLL)

FLOAT64 = 1
NORMAL = 0
CONTRIBUTIONS = 3

_NAMES = ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll")
_PREDICT = [
    c_void_p, c_void_p, c_int, c_int32, c_int32, c_int, c_int, c_int, c_int, c_char_p, POINTER(c_int64), c_void_p,
]  # fmt: skip
_SIGNATURES = {
    "LGBM_BoosterCreateFromModelfile": [c_char_p, POINTER(c_int), POINTER(c_void_p)],
    "LGBM_BoosterFree": [c_void_p],
    "LGBM_BoosterGetNumClasses": [c_void_p, POINTER(c_int)],
    "LGBM_BoosterGetNumFeature": [c_void_p, POINTER(c_int)],
    "LGBM_BoosterPredictForMat": _PREDICT,
    "LGBM_BoosterPredictForMatSingleRowFastInit": [
        c_void_p, c_int, c_int, c_int, c_int, c_int32, c_char_p, POINTER(c_void_p),
    ],
    "LGBM_BoosterPredictForMatSingleRowFast": [c_void_p, c_void_p, POINTER(c_int64), c_void_p],
    "LGBM_FastConfigFree": [c_void_p],
}  # fmt: skip


@cache
def library() -> ctypes.CDLL:
    """The library, its calls let other threads run meanwhile: for batches.

    Raises:
        MissingExtra: LightGBM is not installed.
    """
    patient()
    return _typed(ctypes.CDLL(str(_path())))


@cache
def patient() -> bool:
    """Whether LightGBM's threads sleep while they wait for one another, so that there may be more than one.

    OpenMP's own choice is to spin: on two cores busy with something else two threads took 20 to 30 times as long as
    one. It reads the environment once, when the library is loaded: it is set here before that, unless somebody
    imported LightGBM earlier.
    """
    if "lightgbm" in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
        return False
    return os.environ.setdefault("OMP_WAIT_POLICY", "passive").lower() == "passive"


@cache
def held_library() -> ctypes.PyDLL:
    """The library, its calls keep the interpreter: for one row, where to wait for it again would cost more."""
    library()
    return _typed(ctypes.PyDLL(str(_path())))


def check(code: int, doing: str) -> None:
    """Turns a failed call into an error.

    Raises:
        StoreError: The call failed; LightGBM's own words are in the message.
    """
    if code:
        last = held_library().LGBM_GetLastError
        last.restype = c_char_p
        raise StoreError(f"LightGBM could not {doing}: {(last() or b'').decode(errors='replace')}")


def open_booster(path: Path) -> tuple[c_void_p, int, int]:
    """Loads a model file.

    Returns:
        The handle, how many features it reads, and how many values it answers with for a row.

    Raises:
        StoreError: The file is no such model.
    """
    _check_whole(path)
    handle, rounds, features, classes = c_void_p(), c_int(), c_int(), c_int()
    calls = library()
    check(calls.LGBM_BoosterCreateFromModelfile(str(path).encode(), byref(rounds), byref(handle)), f"read {path}")
    check(calls.LGBM_BoosterGetNumFeature(handle, byref(features)), "count features")
    check(calls.LGBM_BoosterGetNumClasses(handle, byref(classes)), "count classes")
    return handle, features.value, classes.value


def _check_whole(path: Path) -> None:
    """Of a text that ends in the midst of a tree LightGBM does not complain: it ends the process."""
    text = path.read_bytes()
    ends = b"\nend of parameters" if b"\nparameters:" in text else b"\nend of trees"
    if not text.startswith(b"tree\n") or b"\nend of trees" not in text or ends not in text:
        raise StoreError(
            f"LightGBM could not read {path}: it is no whole model",
            found=f"{len(text):,} bytes",
            expected='LightGBM\'s text, from "tree" to "end of parameters"',
        )


def on_threads(number: int) -> bytes:
    """The parameters of a call that may use so many threads."""
    return f"num_threads={number} verbosity=-1".encode()


def row_buffer(length: int) -> ctypes.Array[c_double]:
    """Doubles side by side, which both sides of a call can see."""
    return (c_double * length)()


def _path() -> Path:
    spec = find_spec("lightgbm")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in ("lib", "bin"):
            for name in _NAMES:
                if (path := Path(place) / folder / name).is_file():
                    return path
    raise MissingExtra("the lightgbm adapter needs the lightgbm library", do="Run: pip install lightgbm")


def _typed(calls: L) -> L:
    for name, arguments in _SIGNATURES.items():
        call = getattr(calls, name)
        call.argtypes = arguments
        call.restype = c_int
    return calls
