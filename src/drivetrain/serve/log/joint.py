"""Joint writes: requests that are ready in the same turn of the event loop go into the log together.

A write lets go of the interpreter, and whoever takes it meanwhile gives it back late: in a crowd one write for each
request costs more than all else that keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class JointWrite:
    """Appends in one write what comes within a turn of the event loop.

    Args:
        append: Keeps whole frames, all or none.
    """

    def __init__(self, append: Callable[[bytes], None]) -> None:
        self._append = append
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []

    def append(self, frames: bytes) -> asyncio.Future[None]:
        """What is done when the frames are kept.

        Where the write fails it raises its StoreError: nothing of it was kept, for nobody who shared it.
        """
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._write)
        self._waiting.append((frames, place))
        return place

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        problem: Exception | None = None
        try:
            self._append(b"".join([frames for frames, _ in waiting]))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits: nobody may wait for good
            problem = error
        for _, place in waiting:
            if place.done():  # whoever waited may have gone
                continue
            if problem is None:
                place.set_result(None)
            else:
                place.set_exception(problem)
