"""Engines with a deadline: they run on a thread of their own, and whoever waits for one stops waiting in time.

A call that hangs can't be ended. Its thread is left behind with it, and the next call gets another; how many are left
behind is bounded by the breaker, which lets one call through every few seconds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from drivetrain.serve.refusal import TooSlow

T = TypeVar("T")


class Deadline(Generic[T]):
    """Runs calls one after the other, each until its moment.

    Args:
        name: Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: _Thread[T] | None = None

    async def run(self, call: Callable[[], T], seconds: float) -> T:
        """What a call returns, or raises.

        Raises:
            TooSlow: It takes longer than it may.
        """
        if seconds <= 0:
            raise TooSlow("the deadline had passed before the model was asked", found=f"{-seconds * 1e3:.0f} ms late")
        if self._thread is None:
            self._thread = _Thread(self._name)
        place: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._thread.calls.put((call, place))
        try:
            return await asyncio.wait_for(place, seconds)
        except TimeoutError:
            if self._thread is not None:
                self._thread.calls.put(None)
                self._thread = None
            raise TooSlow("the model took too long", expected=f"an answer within {seconds * 1e3:.0f} ms") from None

    def close(self) -> None:
        """Lets the thread end when what it does is done."""
        if self._thread is not None:
            self._thread.calls.put(None)
            self._thread = None


class _Thread(Generic[T]):
    """A thread that does what it is given; nobody waits for it at the end."""

    def __init__(self, name: str) -> None:
        self.calls: SimpleQueue[tuple[Callable[[], T], asyncio.Future[T]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while (given := self.calls.get()) is not None:
            call, place = given
            try:
                result = call()
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for it
                _tell(place, error=error)
            else:
                _tell(place, result)


def _tell(place: asyncio.Future[T], result: T | None = None, error: Exception | None = None) -> None:
    def tell() -> None:
        if place.done():  # whoever asked has stopped waiting
            return
        if error is not None:
            place.set_exception(error)
        else:
            place.set_result(result)  # type: ignore[arg-type]

    loop = place.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(tell)
