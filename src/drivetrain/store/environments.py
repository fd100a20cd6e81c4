"""LMDB environments that are open in this process.

LMDB forbids a process to open one environment twice (closing either would drop the other's locks), and a forked child
to use its parent's. Hence the one table of this floor that is shared by a whole process.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import lmdb

from drivetrain.core.errors import StoreError

_MAX_READERS = 1024


class SharedEnvironment:
    """One open environment and how many hold it; made by :func:`share`.

    Args:
        folder: Where its two files are.
        size: Upper bound of the map in bytes.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.environment = _open(folder, size)
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
        self.environment = _open(self.folder, self._size)


_lock = threading.Lock()
_open_here: dict[Path, SharedEnvironment] = {}


def share(folder: Path, size: int) -> SharedEnvironment:
    """The environment in a folder, opened if this process has not done so; release it when done.

    Raises:
        StoreError: The folder can't be made, or holds no whole environment.
    """
    folder = folder.absolute()
    with _lock:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder = folder.resolve()
            if folder not in _open_here:
                _open_here[folder] = SharedEnvironment(folder, size)
        except OSError as error:
            raise StoreError(f"the online store's folder {folder} can't be made: {error.strerror}") from error
        except lmdb.Error as error:
            raise StoreError(
                f"the online store {folder} can't be opened: {error}",
                do="If it is damaged, delete the folder; the next run fills it anew from the tables",
            ) from error
        _open_here[folder].hold()
        return _open_here[folder]


def _open(folder: Path, size: int) -> lmdb.Environment:
    # Without metasync a commit flushes the rows but not the page that names them: half the cost, and a power cut can
    # undo the last commits but never tear one.
    environment = lmdb.open(str(folder), map_size=size, max_readers=_MAX_READERS, metasync=False)
    environment.reader_check()  # readers that were killed would keep old pages from being used again
    return environment


def _reopen_all() -> None:
    for shared in _open_here.values():
        shared.reopen()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    os.register_at_fork(after_in_child=_reopen_all)
