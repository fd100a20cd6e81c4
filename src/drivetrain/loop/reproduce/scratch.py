"""A store of its own for one process, gone when it is left; what a killed process left is removed by the next."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivetrain.core.errors import StoreError
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import Store, open_store

_ONLINE_GIB = 0.01
"""Nothing is put there; a map must have some size."""


@contextmanager
def scratch_store(folder: Path, settings: StoreSettings) -> Iterator[Store]:
    """An empty store beside a project's state, that shares nothing with it.

    Args:
        folder: The project folder.
        settings: Where the project's state is.

    Raises:
        StoreError: The folder can't be written.
    """
    place = folder.absolute() / settings.root / "scratch"
    made = place / f"{socket.gethostname()}.{os.getpid()}"
    try:
        _sweep(place)
        made.mkdir(parents=True)
    except OSError as error:
        raise StoreError(f"there is no room for a scratch run in {place}: {error.strerror}") from error
    try:
        store = open_store(_within(made), folder)
        try:
            yield store
        finally:
            store.close()
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _within(place: Path) -> StoreSettings:
    return StoreSettings(
        root=str(place),
        catalog=f"sqlite:///{place / 'catalog.db'}",
        tables=str(place / "tables"),
        blobs=str(place / "blobs"),
        online=f"lmdb:{place / 'online'}",
        online_gib=_ONLINE_GIB,
    )


def _sweep(place: Path) -> None:
    """Removes what processes of this machine left that are not there any more."""
    for left in place.glob(f"{socket.gethostname()}.*"):
        process = left.name.rpartition(".")[2]
        if process.isdecimal() and (int(process) == os.getpid() or not _runs(int(process))):
            shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
