"""What a table no longer holds, taken off the disk: old files, and the log that tells of them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

LOG = "_delta_log"
_NUMBERED = re.compile(r"(\d{20})\..*")


class _Table(Protocol):
    """A table as deltalake opened it."""

    def version(self) -> int: ...

    def file_uris(self) -> list[str]: ...

    def create_checkpoint(self) -> None: ...


def purge(folder: Path, table: _Table) -> int:
    """Removes every file that the table's present version does not need; how many.

    The log of a table tells more than its rows: the least and greatest values of files that are gone, the words of the
    deletion. So what is left of it is a checkpoint of the present version, and that version's own entry. Killed at any
    instant, the table can be read, and doing it again removes the rest. Nobody may write the table meanwhile.

    Args:
        folder: The table's folder.
        table: The table, opened at its present version.
    """
    table.create_checkpoint()
    _flush(folder / LOG)
    version = table.version()
    gone = [path for path in (folder / LOG).iterdir() if _is_older(path.name, version)]
    needed = {str(path) for path in table.file_uris()}
    needed = {Path(uri.removeprefix("file://")).resolve().as_posix() for uri in needed}
    rows = [path for path in folder.rglob("*.parquet") if LOG not in path.relative_to(folder).parts]
    gone += [path for path in rows if path.resolve().as_posix() not in needed]
    for path in gone:
        path.unlink(missing_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):  # parts are named after the values they hold
        if path.is_dir() and path.name != LOG and not any(path.iterdir()):
            path.rmdir()
    return len(gone)


def _is_older(name: str, version: int) -> bool:
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None:
        return name.endswith(".tmp")
    return int(numbered[1]) < version


def _flush(folder: Path) -> None:
    """The checkpoint is on disk before anything it stands for is removed."""
    for path in [*folder.glob("*.checkpoint.parquet"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
