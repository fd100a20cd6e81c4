"""The write-ahead log of one worker and one endpoint: what it holds survives the worker."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Literal, TypeAlias

from drivetrain.core.clock import Micros, now
from drivetrain.core.errors import StoreError
from drivetrain.serve.log.segment import Segment

Durability: TypeAlias = Literal["process", "disk", "memory"]

SEGMENT_BYTES = 64 * 1024 * 1024
SEGMENT_SECONDS = 3600.0
_MEMORY_BYTES = 1024 * 1024


class WriteAheadLog:
    """Appends frames to segments; safe to call from several threads.

    Args:
        folder: The endpoint's folder under the log folder.
        durability: ``process``: what was appended survives ``kill -9`` of the worker (it is in the kernel's hands).
            ``disk``: it survives the machine once :meth:`sync` has returned. ``memory``: it is kept here until
            :meth:`flush`, and lost if the worker dies first.
        segment_bytes: Size at which the next segment begins.
        segment_seconds: Age at which the next segment begins.
    """

    def __init__(
        self,
        folder: Path,
        durability: Durability = "process",
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
    ) -> None:
        self.folder = folder
        self.durability = durability
        self._in_memory = durability == "memory"
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._segment: Segment | None = None
        self._held = bytearray()
        self._latest = 0
        self._lock = threading.Lock()
        self._syncing = threading.Lock()

    def moment(self) -> Micros:
        """The present, for an entry that is logged next: later than the one before, though the clock went back.

        Source: the physical part of a hybrid logical clock; S. Kulkarni et al., "Logical physical clocks", OPODIS 2014.
        """
        moment = now()
        if moment <= self._latest:
            moment = self._latest + 1
        self._latest = moment
        return moment

    def append(self, frames: bytes) -> None:
        """Keeps whole frames, all or none.

        Raises:
            StoreError: The disk is full or failing; nothing was kept, and nothing may be acknowledged.
        """
        with self._lock:
            if not self._in_memory:
                self._write(frames)
                return
            self._held += frames
            if len(self._held) >= _MEMORY_BYTES:
                self._write_held()

    def sync(self) -> None:
        """Waits until everything appended so far is on the disk; several appends may share one call.

        Raises:
            StoreError: The disk did not take it. What it holds is unknown then: the next append begins a new segment.
        """
        try:
            with self._syncing:
                if self._segment is not None:
                    self._segment.sync()
        except StoreError:
            with self._lock:
                self._retire()
            raise

    def flush(self) -> None:
        """Writes what ``memory`` holds, and ends a segment that is old enough."""
        with self._lock:
            if self._held:
                self._write_held()
            segment = self._segment
            if segment is not None and time.monotonic() - segment.opened >= self._segment_seconds:
                self._retire()

    def close(self) -> None:
        """Flushes and gives the open segment to whoever compacts."""
        with self._lock:
            if self._held:
                self._write_held()
            self._retire()

    def _write_held(self) -> None:
        self._write(bytes(self._held))
        self._held.clear()

    def _write(self, frames: bytes) -> None:
        segment = self._segment
        if segment is None or segment.size + len(frames) > self._segment_bytes:
            segment = self._next_segment()
        try:
            segment.append(frames)
        except StoreError:
            if segment.spoiled:
                self._retire()
            raise

    def _next_segment(self) -> Segment:
        if self._segment is not None:
            if self.durability == "disk":
                self._segment.sync()
            self._retire()
        self._segment = Segment(self.folder)
        return self._segment

    def _retire(self) -> None:
        with self._syncing:
            if self._segment is not None:
                self._segment.close()
                self._segment = None
