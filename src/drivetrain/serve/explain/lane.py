"""A lane of its own for slow work: one thread, so that explaining takes one core at most and no answer waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from drivetrain.core.errors import Overloaded

T = TypeVar("T")


class Lane:
    """Runs one thing after the other, beside the event loop.

    Args:
        limit: Requests that may be under way or wait; beyond it they are refused.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = BoundedSemaphore(limit)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drivetrain-explain")

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns, or raises.

        Raises:
            Overloaded: Too many wait already.
        """
        if not self._room.acquire(blocking=False):
            raise Overloaded(
                "more explanations wait than the server may hold",
                found=self._limit,
                expected=f"fewer than {self._limit}",
                do="Come again in a second",
            )
        done = self._thread.submit(work)
        done.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(done)

    def add(self, work: Callable[[], T]) -> Future[T]:
        """Puts work behind all that waits; whoever adds sees to it that it does not pile up."""
        return self._thread.submit(work)

    def close(self) -> None:
        """Ends the thread after what it is at; what waits is given up."""
        self._thread.shutdown(wait=False, cancel_futures=True)
