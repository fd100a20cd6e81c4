"""How far compaction is behind the log."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from drivetrain.core.clock import SECOND, now
from drivetrain.serve.log.columns import feedback_table, predictions_table
from drivetrain.serve.log.frame import MAGIC, Frame, scan, unpack
from drivetrain.serve.log.segment import segments
from drivetrain.store.bundle import Store

_LOOK = 256 * 1024
"""Bytes in which the first entry is looked for."""


class Lag(NamedTuple):
    """What is logged and in no table yet.

    Attributes:
        bytes: How much.
        seconds: Age of the oldest entry; 0 where there is none.
    """

    bytes: int = 0
    seconds: float = 0.0


def lag_of(store: Store, folder: Path) -> Lag:
    """The lag of one endpoint, over the segments of all workers.

    Args:
        store: Where the tables are; a segment's progress is part of their commits.
        folder: The endpoint's folder under the log folder; it bears the endpoint's name.

    Raises:
        StoreError: The tables can't be read.
    """
    tables = (predictions_table(folder.name), feedback_table(folder.name))
    waiting, oldest = 0, 0
    for path in segments(folder):
        done = max([store.tables.transaction(table, path.stem) or len(MAGIC) for table in tables])
        try:
            more = path.stat().st_size - done
            if more > 0 and not oldest:
                oldest = _first(path, done)
        except FileNotFoundError:
            continue  # compacted meanwhile
        waiting += max(0, more)
    return Lag(waiting, max(0, now() - oldest) / SECOND if oldest else 0.0)


def _first(path: Path, start: int) -> int:
    """When the first entry from a place on was logged."""
    with path.open("rb") as file:
        file.seek(start)
        for piece in scan(file.read(_LOOK)):
            if isinstance(piece, Frame):
                return unpack(piece.body).logged_at
    return 0
