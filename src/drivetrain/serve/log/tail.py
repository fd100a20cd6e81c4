"""What workers log from a moment on, read as it comes, before any table has it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from drivetrain.serve.log.frame import MAGIC, Entry, Frame, damaged, scan, unpack, walk
from drivetrain.serve.log.segment import segments

_MOST = 4 * 1024 * 1024
"""Bytes of a segment that are read at once: what is behind them waits for the next time."""


class Tail:
    """Follows an endpoint's segments; nothing is written, and no compaction is in the way.

    Args:
        folder: The endpoint's folder under the log folder.
        begin: Name of a segment, without its ending → the byte it is read from; others are read from their beginning.
    """

    def __init__(self, folder: Path, begin: Mapping[str, int]) -> None:
        self._folder = folder
        self._at = dict(begin)

    def read(self) -> list[Entry] | None:
        """Entries that came since the last time, in their order within a segment.

        Returns:
            None where a segment has gone that may have held more than was read: the tables have it.
        """
        paths = segments(self._folder)
        if self._at.keys() - {path.stem for path in paths}:
            return None
        found: list[Entry] = []
        for path in paths:
            with suppress(FileNotFoundError):  # compacted this moment: the next time says so
                found += self._more(path)
        return found

    def _more(self, path: Path) -> list[Entry]:
        at = self._at.setdefault(path.stem, len(MAGIC))
        if path.stat().st_size <= at:
            return []
        with path.open("rb") as file:
            file.seek(at)
            data = file.read(_MOST)
            frames, end, announced = walk(data)
            if not end and announced > len(data) == _MOST:  # one that is larger than what is read at once
                data += file.read(announced - len(data))
                frames, end, announced = walk(data)
        if damaged(data, end):
            rest = [piece for piece in scan(data, end) if isinstance(piece, Frame)]
            frames += rest
            # Bytes that are no frame in so many are left to compaction.
            end = rest[-1].end if rest else len(data) if not frames and len(data) >= _MOST else end
        # A frame on its way is read whole the next time.
        self._at[path.stem] = at + end
        return [unpack(frame.body) for frame in frames]
