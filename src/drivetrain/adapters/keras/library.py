"""Keras on a backend that is installed, and what it does without disturbing the process."""

from __future__ import annotations

import importlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from drivetrain.core.errors import MissingExtra

_BACKENDS = ("torch", "jax", "tensorflow")


def library() -> Any:  # noqa: ANN401 - keras is an extra
    """Keras; its backend is chosen once a process, when it is imported: what is installed, PyTorch first.

    Raises:
        MissingExtra: It, or every backend, is not installed.
    """
    if find_spec("keras") is None or find_spec("safetensors") is None:
        raise MissingExtra("the keras adapter needs keras and safetensors", do='Run: pip install "drivetrain[keras]"')
    there = [name for name in _BACKENDS if find_spec(name) is not None]
    if not there:
        raise MissingExtra("keras needs a backend", expected=" or ".join(_BACKENDS), do="Run: pip install torch")
    os.environ.setdefault("KERAS_BACKEND", there[0])
    import keras  # noqa: PLC0415 - deferred: it takes seconds

    return keras


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Predicts without gradients, on so many threads where the backend is PyTorch."""
    if library().backend.backend() != "torch":
        yield
        return
    import torch  # noqa: PLC0415 - deferred: an extra

    before = torch.get_num_threads()
    if before != threads:
        torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            yield
    finally:
        if before != threads:
            torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, threads: int) -> Iterator[None]:
    """Random numbers and threads are the fit's own for its time; the process's are put back."""
    keras = library()
    plain, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - what Keras draws its seeds from
    torch: Any = importlib.import_module("torch") if keras.backend.backend() == "torch" else None
    kept = (torch.get_rng_state(), torch.get_num_threads()) if torch else None
    keras.utils.clear_session()  # names of layers are counted through the process: the same model has the same ones
    keras.utils.set_random_seed(seed % (1 << 32))
    if torch:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(numpy_state)  # noqa: NPY002 - as above
        if kept:
            torch.set_rng_state(kept[0])
            torch.set_num_threads(kept[1])


def margins(model: Any, inputs: np.ndarray, threads: int) -> np.ndarray:  # noqa: ANN401 - keras is an extra
    """What a model says of inputs, as it is: (n, outputs)."""
    keras = library()
    with computing(threads):
        return np.asarray(keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(inputs), training=False)))


def random_state() -> bytes:
    """How far PyTorch's random numbers are, from which Keras draws its dropout there; nothing on other backends."""
    if library().backend.backend() != "torch":
        return b""
    import torch  # noqa: PLC0415 - deferred: an extra

    return bytes(torch.get_rng_state().numpy().tobytes())


def set_random_state(state: bytes) -> None:
    """Puts them back to where they were."""
    if state:
        import torch  # noqa: PLC0415 - deferred: an extra

        torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
