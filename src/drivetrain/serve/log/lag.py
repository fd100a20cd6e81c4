"""How far compaction is behind the log.

How far it came is part of the tables' commits. Compaction notes it beside the segment too: a serving worker that asked
the tables would load what reads them, tens of megabytes, for one figure.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from drivetrain.core.clock import SECOND, now
from drivetrain.serve.log.frame import MAGIC, Frame, scan, unpack
from drivetrain.serve.log.segment import segments

_SUFFIX = ".upto"
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


def note(segment: Path, end: int) -> None:
    """Keeps how far a segment is in the tables; after a kill in between, the note is behind until the next time."""
    draft = segment.with_suffix(f"{_SUFFIX}.new")
    with suppress(OSError):  # the rows are in the tables: a full disk must not make that a failure
        draft.write_text(str(end), "ascii")
        draft.replace(segment.with_suffix(_SUFFIX))


def forget(segment: Path) -> None:
    """Takes the note of a segment away."""
    segment.with_suffix(_SUFFIX).unlink(missing_ok=True)


def lag_of(folder: Path) -> Lag:
    """The lag of one endpoint, over the segments of all workers.

    Args:
        folder: The endpoint's folder under the log folder.
    """
    waiting, oldest = 0, 0
    for path in segments(folder):
        with suppress(FileNotFoundError):  # compacted meanwhile
            done = _noted(path)
            more = path.stat().st_size - done
            if more > 0 and not oldest:
                oldest = _first(path, done)
            waiting += max(0, more)
    return Lag(waiting, max(0, now() - oldest) / SECOND if oldest else 0.0)


def _noted(path: Path) -> int:
    try:
        return max(len(MAGIC), int(path.with_suffix(_SUFFIX).read_text("ascii")))
    except (FileNotFoundError, ValueError):
        return len(MAGIC)


def _first(path: Path, start: int) -> int:
    """When the first entry from a place on was logged."""
    with path.open("rb") as file:
        file.seek(start)
        for piece in scan(file.read(_LOOK)):
            if isinstance(piece, Frame):
                return unpack(piece.body).logged_at
    return 0
