"""Rates that hold over all workers together: the counts of their buckets, in memory that they share.

A file of 4 KiB pages. Its first page holds how many places workers have taken and how many buckets there are; every
other one is a bucket: its key, then what each worker has let through, then what each has seen run over. A worker writes
in its own place only, so nobody waits for anybody, and one that is killed leaves its counts to whoever takes its place.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from drivetrain.serve.bucket import Bucket, Counts

PLACES = 255
"""How many workers can share a rate."""
_WORDS = 512
_PAGE = _WORDS * 8
_KEY = 2
_GROWTH = 16
"""Pages that the file grows by, and by as many as it has."""

_log = logging.getLogger(__name__)


class Rates:
    """Buckets that every worker of a folder draws from.

    Where the file can't be had, each worker gets its even part of a rate, and says so once.

    Args:
        folder: Where the file is; workers with the same one share.
        workers: How many there are.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._workers = workers
        self._file = self._place_file = -1
        self._place = 0
        self._pages = 0
        self._whole = memoryview(b"")
        self._alone = False

    def bucket(self, name: str, rate: float) -> Bucket:
        """The bucket of a name at a rate: what others have let through counts, also before this worker began.

        Args:
            name: Whose rate.
            rate: Requests a second over all workers, more than zero.
        """
        if not self._alone:
            try:
                return Bucket(rate, self._counts(blake2b(f"{name} {rate!r}".encode(), digest_size=_KEY * 8).digest()))
            except OSError as error:
                self._alone = True
                _log.warning("each worker goes by its own part of a rate: %s can't be shared: %s", self._folder, error)
        return Bucket(rate / self._workers)

    def close(self) -> None:
        """Leaves this worker's place to another."""
        for file in (self._place_file, self._file):
            if file >= 0:
                os.close(file)
        self._file = self._place_file = -1

    def _counts(self, key: bytes) -> Counts:
        if self._file < 0:
            self._open()
        with _locked(self._file):
            self._map()
            head = self._whole[:_PAGE].cast("q")
            page = next((at for at in range(1, head[1] + 1) if self._whole[at * _PAGE :][: len(key)] == key), 0)
            if not page:
                page = head[1] + 1
                if page >= self._pages:
                    # Zeros are written, not skipped: a disk that is full says so here, and not where they are used.
                    os.pwrite(self._file, bytes((self._pages + _GROWTH) * _PAGE), self._pages * _PAGE)
                    self._map()
                    head = self._whole[:_PAGE].cast("q")
                self._whole[page * _PAGE :][: len(key)] = key
                head[1] = page
        own = self._whole[page * _PAGE : (page + 1) * _PAGE]
        ends = _KEY + PLACES
        return Counts(head[:1], own.cast("q")[_KEY:ends], own.cast("d")[ends:], self._place)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._folder / "rates", os.O_RDWR | os.O_CREAT, 0o600)
        with _locked(self._file):
            size = os.fstat(self._file).st_size
            if size < _PAGE:
                os.pwrite(self._file, bytes(_PAGE), 0)
            self._map()
            head = self._whole[:_PAGE].cast("q")
            others = self._take_place(head[0])
            if not others:
                # Nobody is left who counted: the clock may be another one since.
                os.pwrite(self._file, bytes(self._pages * _PAGE), 0)
            head[0] = max(head[0], self._place + 1)

    def _take_place(self, taken: int) -> bool:
        """Takes the first free place; whether any of those taken so far is in use."""
        others = False
        for place in range(PLACES):
            if place >= taken and self._place_file >= 0:
                break
            file = os.open(self._folder / f"rate-{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                others = True
                os.close(file)
                continue
            if self._place_file >= 0:
                os.close(file)
            else:
                self._place, self._place_file = place, file
        if self._place_file < 0:
            raise OSError(f"all {PLACES} places are taken")
        return others

    def _map(self) -> None:
        """Sees the whole file; what was handed out of an earlier view is the same memory."""
        pages = os.fstat(self._file).st_size // _PAGE
        if pages > self._pages:
            self._pages = pages
            self._whole = memoryview(mmap.mmap(self._file, pages * _PAGE))


@contextmanager
def _locked(file: int) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
