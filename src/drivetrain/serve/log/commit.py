"""Group commit: requests that wait for the disk share one ``fdatasync``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class GroupCommit:
    """While one sync runs, whoever comes waits for the next one, which covers them all.

    Args:
        sync: Blocks until everything appended before the call is on the disk.
    """

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drivetrain-sync")
        self._waiting: list[asyncio.Future[None]] = []
        self._running = False

    async def wait(self) -> None:
        """Returns when what was appended before the call is on the disk; raises what the sync raised."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        if not self._running:
            self._start(loop)
        await place

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting, []
        self._running = True

        def done(synced: asyncio.Future[None]) -> None:
            self._running = False
            error = synced.exception()
            for place in group:
                if place.done():
                    continue
                if error is None:
                    place.set_result(None)
                else:
                    place.set_exception(error)
            if self._waiting:
                self._start(loop)

        loop.run_in_executor(self._thread, self._sync).add_done_callback(done)

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown()
