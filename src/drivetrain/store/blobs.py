"""Blobs: bytes under their digest, one file each."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from drivetrain.core.errors import CorruptBlob, StoreError
from drivetrain.core.hashing import Digest, digest_bytes, digest_file
from drivetrain.core.ids import new_id

_DIGEST = re.compile(r"[0-9a-f]{32}")
_STALE_SECONDS = 24 * 3600
_PIECE = 1 << 20


class FileBlobs:
    """:class:`~drivetrain.core.protocols.Blobs` in a folder: ``ab/cd/abcd…``, written aside, flushed, then renamed.

    Args:
        root: The folder; made if it is not there.

    Raises:
        StoreError: The folder can't be made.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._aside = root / "aside"
        try:
            self._aside.mkdir(parents=True, exist_ok=True)
            self._sweep()
        except OSError as error:
            raise StoreError(f"the blob folder {root} can't be made: {error.strerror}") from error

    def put(self, data: bytes) -> Digest:
        """Keeps bytes; the same bytes again change nothing, unless what is there was damaged: then they mend it."""
        digest = digest_bytes(data)
        if not self._is_whole(digest):
            self._write([data], len(data))
        return digest

    def put_file(self, file: IO[bytes]) -> Digest:
        """Keeps what a file holds, read in pieces."""
        start = file.tell()
        state = hashlib.blake2b(digest_size=16)
        for piece in _pieces(file):
            state.update(piece)
        digest, size = state.hexdigest(), file.tell() - start
        if not self._is_whole(digest):
            file.seek(start)
            self._write(_pieces(file), size)
        return digest

    def _is_whole(self, digest: Digest) -> bool:
        target = self._file(digest)
        try:
            return target.is_file() and digest_file(target) == digest
        except OSError:
            return False  # it is written anew, and what is wrong is said then

    def _write(self, pieces: Iterable[bytes], size: int) -> None:
        """Writes pieces aside, and puts them where their digest says: what was read may have changed since."""
        aside = self._aside / new_id()
        state = hashlib.blake2b(digest_size=16)
        try:
            with aside.open("wb") as file:
                for piece in pieces:
                    state.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            target = self._file(state.hexdigest())
            self._make_folder(target.parent)
            aside.replace(target)
            _flush(target.parent)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise StoreError(
                f"a blob of {size:,} bytes can't be kept in {self._root}: {error.strerror}",
                do="Free some disk space or mend the folder, then run the command again",
            ) from error

    def get(self, digest: Digest) -> bytes:
        """The bytes, checked."""
        path = self._existing(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"blob {digest} at {path} can't be read: {error.strerror}") from error
        if digest_bytes(data) != digest:
            raise _corrupt(digest, path)
        return data

    def path(self, digest: Digest) -> Path:
        """The file with the bytes, checked; it must not be changed."""
        path = self._existing(digest)
        try:
            found = digest_file(path)
        except OSError as error:
            raise StoreError(f"blob {digest} at {path} can't be read: {error.strerror}") from error
        if found != digest:
            raise _corrupt(digest, path)
        return path

    def has(self, digest: Digest) -> bool:
        """Whether there is such a blob; not whether it is whole."""
        return _DIGEST.fullmatch(digest) is not None and self._file(digest).is_file()

    def remove(self, digest: Digest) -> bool:
        """Takes a blob away; whether it was there."""
        if not self.has(digest):
            return False
        path = self._file(digest)
        try:
            path.unlink(missing_ok=True)
            _flush(path.parent)
        except OSError as error:
            raise StoreError(f"blob {digest} at {path} can't be removed: {error.strerror}") from error
        return True

    def _file(self, digest: Digest) -> Path:
        return self._root / digest[:2] / digest[2:4] / digest

    def _existing(self, digest: Digest) -> Path:
        if not self.has(digest):
            raise StoreError(
                f"there is no blob {digest} in {self._root}",
                do="Run the step that made it again, or restore the folder",
            )
        return self._file(digest)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _flush(folder.parent)
            _flush(self._root)

    def _sweep(self) -> None:
        """Removes what writers left behind that were killed before they could rename."""
        for path in self._aside.iterdir():
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink(missing_ok=True)


def _corrupt(digest: Digest, path: Path) -> CorruptBlob:
    return CorruptBlob(
        f"blob {digest} is damaged: the bytes at {path} do not match it",
        do="Restore that file from a backup, or delete it and run the step that made it again",
    )


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _flush(folder: Path) -> None:
    """Puts a folder's entries on disk; a rename is only safe from a power cut after that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
