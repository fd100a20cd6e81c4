"""One file of the write-ahead log: written by one worker, locked while it is open, never written again after."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drivetrain.core.errors import StoreError
from drivetrain.core.ids import new_id
from drivetrain.serve.log.frame import MAGIC

SUFFIX = ".wal"


class Segment:
    """A segment open for writing. Its name sorts by the time it was opened.

    The file is locked before it gets its name, so whoever can lock a named segment knows that nobody writes to it: the
    kernel lets go of the lock when the writer closes it or dies.

    Raises:
        StoreError: The folder can't be written, or the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{new_id()}{SUFFIX}"
        self.opened = time.monotonic()
        draft = self.path.with_suffix(".new")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _refusal(folder, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(self._file, MAGIC) != len(MAGIC):
                raise OSError("the disk took only part of the first bytes")
            draft.rename(self.path)
        except OSError as error:
            os.close(self._file)
            with suppress(OSError):
                draft.unlink()
            raise _refusal(folder, error) from error
        self.size = len(MAGIC)
        self.spoiled = False
        """Whether an append left half a frame behind that could not be taken back."""

    def append(self, data: bytes) -> None:
        """Adds whole frames in one write; after an error the file is as it was.

        Raises:
            StoreError: The disk is full or failing; nothing was kept.
        """
        try:
            written = os.write(self._file, data)
            if written != len(data):
                raise OSError(f"the disk took {written} of {len(data)} bytes")
        except OSError as error:
            try:
                os.ftruncate(self._file, self.size)
            except OSError:
                self.spoiled = True
            raise _refusal(self.path, error) from error
        self.size += written

    def sync(self) -> None:
        """Waits until what was appended is on the disk.

        Raises:
            StoreError: The disk did not take it.
        """
        try:
            os.fdatasync(self._file)
        except OSError as error:
            raise _refusal(self.path, error) from error

    def close(self) -> None:
        """Gives the segment to whoever compacts."""
        os.close(self._file)


def segments(folder: Path) -> list[Path]:
    """Named segments of an endpoint's folder, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


@contextmanager
def finished(path: Path) -> Iterator[bool]:
    """Whether nobody writes to a segment any more; while the context lasts nobody else can claim it either."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def _refusal(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"the prediction log at {path} can't be written: {error.strerror or error}",
        do="Free or mend the disk; until then predictions are refused, not lost",
    )
