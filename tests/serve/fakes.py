"""The wire of an RSGI server, without the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.app import Application
from drivetrain.store.bundle import Store
from serve import world


class Scope:
    def __init__(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        self.method = method
        self.path = path
        self.headers = dict(headers)


class Wire:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    async def __call__(self) -> bytes:
        return self._body

    async def _pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), 10):
            yield self._body[at : at + 10]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        assert not self.status, "answered twice"
        self.status, self.headers, self.body = status, headers, body


class Door:
    """An application one can ask; each call runs its own event loop turn."""

    def __init__(self, app: Application, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self.loop = loop

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        chunked: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Wire:
        wire = Wire(body)
        head = {} if chunked else {"content-length": str(len(body))}
        await self.app.__rsgi__(Scope(method, path, head | dict(headers or {})), wire)  # type: ignore[arg-type]
        return wire

    def ask(self, method: str, path: str, body: Any = b"", *, chunked: bool = False) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        wire = self.loop.run_until_complete(self.send(method, path, data, chunked=chunked))
        if ("content-type", "application/json") in wire.headers:
            return wire.status, json.loads(wire.body)
        return wire.status, wire.body.decode()

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return self.ask("POST", path, body)

    def get(self, path: str) -> tuple[int, Any]:
        return self.ask("GET", path)


@contextmanager
def door(
    store: Store, folder: Path, *, plans: Any = (world.PLAIN, world.TIMED), load: Any = world.load, **settings: Any
):
    """The world's application over a store, started and ended as a worker does."""
    app = Application(
        plans or [world.PLAIN, world.TIMED], store, ServeSettings(**({"allow_at": True} | settings)), folder, load=load
    )
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    try:
        yield Door(app, loop)
    finally:
        app.__rsgi_del__(loop)
        loop.close()
