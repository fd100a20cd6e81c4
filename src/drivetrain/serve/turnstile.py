"""Who has to wait waits where it can be counted: in a crowd, one request a turn of the event loop is let through.

Requests that are answered without a pause would otherwise wait in the event loop itself, out of anybody's sight: it
runs all that is ready before it looks at what has come meanwhile, and whoever is to be refused would hear of it last.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turnstile:
    """Lets requests through in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def pass_through(self) -> None:
        """Returns when it is one's turn."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._next, loop)
        self._waiting.append(place)
        await place

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        place = self._waiting.popleft()
        if not place.done():  # whoever waited may have gone
            place.set_result(None)
        if self._waiting:
            loop.call_soon(self._next, loop)
