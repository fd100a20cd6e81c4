"""LMDB environments that are open in this process.

LMDB forbids a process to open one environment twice (closing either would drop the other's locks), and a forked child
to use its parent's. Hence the one table of this floor that is shared by a whole process.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Literal

import lmdb

from drivetrain.core.errors import StoreError

Durability = Literal["process", "disk"]

_MAX_READERS = 1024


class SharedEnvironment:
    """One open environment and how many hold it; made by :func:`share`.

    Args:
        folder: Where its two files are.
        size: Upper bound of the map in bytes.
        durability: What a commit outlives when it returns.
    """

    def __init__(self, folder: Path, size: int, durability: Durability) -> None:
        self.folder = folder
        self.durability = durability
        self.environment = _open(folder, size, durability)
        self._size = size
        self._holders = 0

    def hold(self) -> None:
        """Counts one more holder."""
        self._holders += 1

    def release(self) -> None:
        """Counts one holder less; the last closes the files."""
        with _lock:
            self._holders -= 1
            if self._holders <= 0 and _open_here.pop(self.folder, None) is self:
                self.environment.close()

    def reopen(self) -> None:
        """Gives a forked child an environment of its own in place of its parent's."""
        self.environment.close()
        self.environment = _open(self.folder, self._size, self.durability)


# A collection of garbage may close a store at any moment, also while this thread opens one.
_lock = threading.RLock()
_open_here: dict[Path, SharedEnvironment] = {}


def share(folder: Path, size: int, durability: Durability) -> SharedEnvironment:
    """The environment in a folder, opened if this process has not done so; release it when done.

    Who opens it first says how durable it is: one open for ``disk`` serves who asks for ``process``, not the reverse.

    Raises:
        StoreError: The folder can't be made, holds no whole environment, or is open in this process with less
            durability than is asked for.
    """
    folder = folder.absolute()
    with _lock:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder = folder.resolve()
            shared = _held(folder, size, durability)
        except OSError as error:
            raise StoreError(f"the online store's folder {folder} can't be made: {error.strerror}") from error
        except lmdb.Error as error:
            raise StoreError(
                f"the online store {folder} can't be opened: {error}",
                do="If it is damaged, delete the folder; the next run fills it anew from the tables",
            ) from error
        if (shared.durability, durability) == ("process", "disk"):
            shared.release()
            raise StoreError(
                f"the online store {folder} is open in this process already",
                found="durability 'process'",
                expected="durability 'disk'",
                do="Open it with the same [store] online_durability everywhere",
            )
        return shared


def _held(folder: Path, size: int, durability: Durability) -> SharedEnvironment:
    """The environment in a folder, with one more holder."""
    while True:
        shared = _open_here.get(folder)
        if shared is None:
            shared = SharedEnvironment(folder, size, durability)
            _open_here[folder] = shared
        shared.hold()
        if _open_here.get(folder) is shared:  # else its last holder let go of it just before
            return shared


def _open(folder: Path, size: int, durability: Durability) -> lmdb.Environment:
    """Opens the files.

    A commit hands its pages to the kernel, so that it outlives its process however that dies. To have them on disk
    takes a flush, which costs tens to thousands of times as much as the commit itself. ``process`` leaves flushing to
    the kernel, which does it in its own order: a power cut can lose the last commits, or leave a file that has to be
    filled anew. ``disk`` flushes the rows at every commit but not the page that names them: half the cost of both,
    and a power cut can undo the last commits but never tear one. Neither writes through the map, where a full disk
    would kill the process instead of failing the commit.
    """
    environment = lmdb.open(
        str(folder), map_size=size, max_readers=_MAX_READERS, metasync=False, sync=durability == "disk"
    )
    environment.reader_check()  # readers that were killed would keep old pages from being used again
    return environment


def _reopen_all() -> None:
    for shared in _open_here.values():
        shared.reopen()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    os.register_at_fork(after_in_child=_reopen_all)
