"""How far a fit is, in a file that a kill leaves whole."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.core.errors import StoreError
from drivetrain.core.hashing import Digest, digest, digest_bytes
from drivetrain.core.protocols import FitTask

_log = logging.getLogger(__name__)
_SUFFIX = ".checkpoint"
_DIGEST = 32
_Parts = dict[str, bytes]
_parts = msgspec.msgpack.Decoder(_Parts).decode


class Checkpoint:
    """What one fit leaves in its task's folder; nothing, where the task names none.

    The file's name is a digest of everything that the fit follows from: its rows and labels, its parameters, and what
    the trainer says of itself. So one is only ever taken up by the fit that left it, and several share a folder.

    Args:
        task: The fit.
        meaning: What else its result follows from: anything that msgspec encodes.
    """

    def __init__(self, task: FitTask, meaning: object) -> None:
        self._seconds = task.checkpoint_seconds
        self._saved = time.monotonic()
        self.path: Path | None = None
        if task.checkpoints is not None:
            self.path = task.checkpoints / (digest([meaning, *_told(task)]) + _SUFFIX)

    @property
    def due(self) -> bool:
        """Whether there is a place to leave one, and the last is long enough ago."""
        return self.path is not None and time.monotonic() - self._saved >= self._seconds

    def load(self) -> _Parts | None:
        """What was left last; none where there is nothing, or what is there is not whole, which is said."""
        if self.path is None:
            return None
        try:
            data = self.path.read_bytes()
        except OSError:
            return None
        if digest_bytes(data[_DIGEST:]).encode() == data[:_DIGEST]:
            return _parts(data[_DIGEST:])
        self.drop("it is not whole")
        return None

    def drop(self, why: str) -> None:
        """Takes away what was left, and says so: the fit begins again, to the same result."""
        _log.warning("The checkpoint %s can't be gone on from: %s. The fit begins again.", self.path, why)
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def save(self, parts: Mapping[str, bytes]) -> None:
        """Leaves parts in place of those before, all or none, whenever the process dies.

        Raises:
            StoreError: The disk is full, or not to be written.
        """
        if self.path is None:
            return
        data = msgspec.msgpack.encode(dict(parts))
        aside = self.path.with_suffix(f".{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                file.write(digest_bytes(data).encode() + data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path)
        except OSError as error:
            raise StoreError(f"a checkpoint could not be kept at {self.path}: {error}", do="Make room") from None
        self._saved = time.monotonic()


def _told(task: FitTask) -> list[object]:
    arrays = (task.rows, task.labels, task.weights, task.groups, task.valid_rows, task.valid_labels, task.valid_groups)
    plain = [task.kind, task.classes, task.levels, task.schema, dict(task.parameters), task.seed, task.metric]
    return [*plain, *(None if array is None else _digest(np.asarray(array)) for array in arrays)]


def _digest(array: np.ndarray) -> tuple[Digest, tuple[int, ...], str]:
    return digest_bytes(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data), array.shape, array.dtype.str
