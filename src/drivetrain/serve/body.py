"""Bodies: taken in within their size, their time, and what all of them together may hold of the memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol

from drivetrain.core.errors import Overloaded, RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.denial import SlowBody
from drivetrain.serve.refusal import Malformed, TooLarge
from drivetrain.serve.request import RequestHeaders

SMALL = 64 * 1024
"""Bodies up to so many bytes are taken whole: the connections that a worker has bound what they hold."""
TOGETHER = 16
"""Larger ones hold at most so many times ``max_bytes`` until they are whole."""
BEYOND = 4
"""A body that is too large is read, not kept, up to so many times ``max_bytes``: its sender is to hear the answer."""
_SWEEP_SECONDS = 0.5


class Pieces(Protocol):
    """A body, whole or in pieces."""

    async def __call__(self) -> bytes:
        """The whole body."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        ...


class Intake:
    """Takes in the bodies of one worker.

    Args:
        settings: What a body may be, and how long it may take.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._limit = settings.max_bytes
        self._small = min(SMALL, settings.max_bytes)
        self._seconds = settings.body_seconds
        self._room = max(SMALL, settings.max_bytes) * TOGETHER
        self._coming: dict[asyncio.Task[object], float] = {}
        self._slow: set[asyncio.Task[object]] = set()
        self.slow = 0
        """How many bodies have been on their way for a while: they wait for their senders, not for us."""
        self._late: set[asyncio.Task[object]] = set()
        self._sweeping = False

    @property
    def arriving(self) -> int:
        """How many bodies are on their way."""
        return len(self._coming)

    async def read(self, headers: RequestHeaders, pieces: Pieces) -> bytes:
        """The whole body.

        Raises:
            TooLarge: It is larger than it may be; nothing more of it is read.
            SlowBody: It is not whole in time.
            Malformed: It ended before it was whole.
            Overloaded: Too much of other bodies is held already.
        """
        length = headers.get("content-length")
        announced = int(length) if length is not None and length.isdecimal() else None
        small = announced is not None and announced <= self._small
        if not small and announced is not None and announced > self._limit * (1 if headers.get("expect") else BEYOND):
            raise _too_large(length, self._limit)
        # A timer for each body would cost more than the rest of this: one looks at all of them now and then.
        task = asyncio.current_task()
        if task is not None:
            self._coming[task] = time.monotonic()
            if not self._sweeping:
                self._sweep_later()
        try:
            body = await (pieces() if small else self._gather(pieces))
        except RequestError:
            raise
        except asyncio.CancelledError:
            if task is None or task not in self._late:
                raise
            task.uncancel()
            raise SlowBody(
                "the body took too long to arrive",
                expected=f"all of it within {self._seconds:g} s",
                do="Send it faster, or in smaller requests",
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever the server's own types raise, the body did not come
            raise Malformed(f"the body could not be read: {error}", do="Send it again") from None
        finally:
            if task is not None:
                self._coming.pop(task, None)
                if self._slow or self._late:
                    self._slow.discard(task)
                    self._late.discard(task)
                    self.slow = len(self._slow)
        if announced is not None and len(body) != announced:
            raise Malformed("the body ended before it was whole", found=f"{len(body)} bytes", expected=announced)
        return body

    async def _gather(self, pieces: Pieces) -> bytes:
        gathered, seen = bytearray(), 0
        try:
            async for piece in pieces:
                seen += len(piece)
                if seen <= self._limit:
                    gathered += piece
                    self._room -= len(piece)
                elif seen > self._limit * BEYOND:
                    break
                if self._room < 0:
                    raise Overloaded(
                        "more bytes are on their way than the server may hold", do="Come again in a second"
                    )
            if seen > self._limit:
                # Only now: an answer to somebody who is still sending is lost with the connection.
                raise _too_large(f"more than {self._limit}", self._limit)
            return bytes(gathered)
        finally:
            self._room += len(gathered)

    def _sweep(self) -> None:
        """Gives up on bodies that are late; looks again while there are any on their way."""
        now = time.monotonic()
        before = now - self._seconds
        for task, began in list(self._coming.items()):
            if began <= now - _SWEEP_SECONDS:
                self._slow.add(task)
            if began <= before and task not in self._late:
                self._late.add(task)
                task.cancel()
        self.slow = len(self._slow)
        self._sweeping = False
        if self._coming:
            self._sweep_later()

    def _sweep_later(self) -> None:
        self._sweeping = True
        asyncio.get_running_loop().call_later(min(_SWEEP_SECONDS, self._seconds), self._sweep)


def _too_large(found: object, limit: int) -> RequestError:
    return TooLarge(
        "the body is too large", found=f"{found} bytes", expected=f"at most {limit}", do="Split the request"
    )
