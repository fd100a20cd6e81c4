"""The application inside somebody else's: ASGI on the outside, what the server's own workers run on the inside.

ASGI: https://asgi.readthedocs.io/en/latest/specs/www.html and https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from drivetrain.core.errors import DrivetrainError
from drivetrain.serve.app import Application
from drivetrain.serve.response import Response, failure
from drivetrain.serve.wire import Head, HeldHeaders, HeldWire

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class AsgiApp:
    """An :class:`~drivetrain.serve.app.Application` as an ASGI application.

    It opens at the lifespan's start, or at the first request where the host passes no lifespan on, as it does not to
    what it has mounted: so a host that forks after it was imported shares nothing. It closes at the lifespan's end, or
    when it is collected or the interpreter exits. Closed, it opens again when it is asked.

    Args:
        make: Assembles the application; called in a thread, for it may take a while.
    """

    def __init__(self, make: Callable[[], Application]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._application: Application | None = None
        self._close: Callable[[], object] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request, or lives through one lifespan."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})  # before it was accepted, this is a refusal
        else:
            raise ValueError(f"ASGI has no {scope['type']} that is answered here")

    @asynccontextmanager
    async def lifespan(self, _host: object = None) -> AsyncIterator[None]:
        """Open while the context is: ``FastAPI(lifespan=mounted.lifespan)``, so that the host's end is its end too.

        Raises:
            DrivetrainError: It can't be opened.
        """
        await self._open()
        try:
            yield
        finally:
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Finishes the log and lets go of everything."""
        with self._lock:
            close, self._close, self._application = self._close, None, None
        if close is not None:
            close()

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            application = self._application or await self._open()
        except DrivetrainError as error:
            response = failure(error)
        else:
            wire = HeldWire(_pieces(receive))
            await application.__rsgi__(_head(scope), wire)
            response = wire.response
        await send({"type": "http.response.start", "status": response.status, "headers": _headers(response)})
        await send({"type": "http.response.body", "body": response.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._open()
        except DrivetrainError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> Application:
        return await asyncio.to_thread(self._opened, asyncio.get_running_loop())

    def _opened(self, loop: asyncio.AbstractEventLoop) -> Application:
        with self._lock:
            if self._application is None:
                application = self._make()
                try:
                    application.__rsgi_init__(loop)
                except BaseException:
                    application.__rsgi_del__(loop)
                    raise
                self._close = weakref.finalize(self, _finish, application, loop, os.getpid())
                self._application = application
            return self._application


def _finish(application: Application, loop: asyncio.AbstractEventLoop, pid: int) -> None:
    if os.getpid() == pid:  # what a forked child inherited is not its to close
        application.__rsgi_del__(loop)


def _head(scope: Mapping[str, Any]) -> Head:
    path, root = scope["path"], scope.get("root_path", "")
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :] or "/"
    # Of a header that comes twice the first counts, as it does in the server's own HTTP.
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(list(scope["headers"]))}
    return Head(scope["method"], path, HeldHeaders(headers))


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("whoever sent it is gone")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _headers(response: Response) -> list[tuple[bytes, bytes]]:
    told = [*response.headers, ("content-length", str(len(response.body)))]
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told]
