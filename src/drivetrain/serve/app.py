"""The application that a worker runs: an RSGI callable over the dataplanes of its endpoints.

RSGI: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from drivetrain.core.errors import DrivetrainError, NotFound, Overloaded, RequestError, StoreError
from drivetrain.core.settings import ServeSettings
from drivetrain.features.online.push import Pusher
from drivetrain.registry.load import load_engine
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.refusal import MethodRefused, TooLarge
from drivetrain.serve.reload import LoadEngine, Reloader
from drivetrain.serve.request import Request, RequestHeaders
from drivetrain.serve.response import Headers, Response, failure
from drivetrain.serve.routes import features, invocations, native, operations, v1, v2
from drivetrain.serve.routes.error_shape import error_shape
from drivetrain.serve.routes.route import Route
from drivetrain.serve.routes.versioned import unversioned
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.workers import Workers
from drivetrain.store.bundle import Store

_log = logging.getLogger(__name__)


class Scope(Protocol):
    """A request's head, as RSGI gives it."""

    method: str
    path: str

    @property
    def headers(self) -> RequestHeaders:
        """The headers."""
        ...


class Wire(Protocol):
    """A request's body and the way back, as RSGI gives them."""

    async def __call__(self) -> bytes:
        """The whole body."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answers."""
        ...


class Application:
    """Serves endpoints in one worker process.

    Args:
        plans: The endpoints.
        store: The project's state; closed with the application.
        settings: Limits, durability and the rest.
        log_folder: Where the write-ahead logs of all workers are.
        pushers: What pushes events into feature views, by view.
        load: Opens a version's engine; another one in tests.
    """

    def __init__(
        self,
        plans: Sequence[EndpointPlan],
        store: Store,
        settings: ServeSettings,
        log_folder: Path,
        *,
        pushers: Mapping[str, Pusher] | None = None,
        load: LoadEngine = load_engine,
    ) -> None:
        self._store = store
        self._settings = settings
        self._meter = Meter()
        self._workers = Workers(log_folder)
        self._planes = {plan.name: Dataplane(plan, store.online, settings, log_folder, self._meter) for plan in plans}
        self._reloader = Reloader(self._planes, store, load, self._meter, self._housekeeping)
        self._parent = os.getppid()
        self._waiting = 0
        routes = [
            *native.routes(self._planes, settings, self._workers),
            *features.routes(pushers or {}, settings),
            *v2.routes(self._planes, settings),
            *v1.routes(self._planes, settings),
            *invocations.routes(self._planes, settings),
            *operations.routes(self._planes, self._meter, self._workers, self._reloader),
        ]
        self._routes = {f"{route.method} {route.path}": route for route in routes}
        self._paths = {route.path for route in routes}

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Loads what the catalog names before the first request comes."""
        for plane in self._planes.values():
            plane.lookup.warm()
        self._reloader.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Finishes what is under way and lets go of everything."""
        self._reloader.close()
        for plane in self._planes.values():
            try:
                plane.close()
            except StoreError:
                _log.exception("the log of endpoint %s could not be closed", plane.plan.name)
        self._tell()
        self._store.close()

    async def __rsgi__(self, scope: Scope, wire: Wire) -> None:
        """Answers one request."""
        started = time.perf_counter()
        method, path = scope.method, scope.path
        route = self._routes.get(f"{method} {path}")
        try:
            if route is None:
                route = self._find(method, path)
            response = await self._answer(route, scope, wire)
        except Exception as error:  # noqa: BLE001 - the last door: whatever it is becomes one JSON error
            response = failure(error, error_shape(path))
        wire.response_bytes(response.status, response.headers, response.body)
        if route is None:
            self._meter.answered("", "unknown", response.status, 0.0)
        else:
            self._meter.answered(route.endpoint, route.name, response.status, time.perf_counter() - started)

    async def _answer(self, route: Route, scope: Scope, wire: Wire) -> Response:
        if route.method == "GET":
            return await route.handler(Request(scope.headers))
        if self._waiting >= self._settings.queue:
            raise Overloaded(
                "more requests wait than the server may hold",
                found=self._waiting,
                expected=f"fewer than {self._settings.queue}",
                do="Come again in a second",
            )
        self._waiting += 1
        try:
            return await route.handler(Request(scope.headers, await self._body(scope, wire)))
        finally:
            self._waiting -= 1

    async def _body(self, scope: Scope, wire: Wire) -> bytes:
        limit = self._settings.max_bytes
        length = scope.headers.get("content-length")
        if length is not None and length.isdecimal():
            if int(length) > limit:
                raise _too_large(length, limit)
            return await wire()
        pieces = bytearray()
        async for piece in wire:
            pieces += piece
            if len(pieces) > limit:
                raise _too_large(f"more than {limit}", limit)
        return bytes(pieces)

    def _find(self, method: str, path: str) -> Route:
        path = unversioned(path, self._planes)
        route = self._routes.get(f"{method} {path}")
        if route is not None:
            return route
        if path in self._paths:
            others = [known.split(" ")[0] for known in self._routes if known.endswith(f" {path}")]
            raise MethodRefused(f"{path} can't be asked that way", found=method, expected=" or ".join(others))
        about = "/v1/features/" if path.startswith("/v1/features/") else "/v1/endpoints/"
        near = [known for known in sorted(self._paths) if known.startswith(about) and known.count("/") == 4]
        raise NotFound(
            "nothing is at this path",
            found=path[:200],
            expected=f"for example {' or '.join(near)}" if near else None,
        )

    def _housekeeping(self) -> None:
        if os.getppid() != self._parent:
            os.kill(os.getpid(), signal.SIGTERM)  # the server was killed: a worker must not keep its port
        for plane in self._planes.values():
            try:
                plane.log.flush()
            except DrivetrainError:
                _log.exception("the log of endpoint %s could not be flushed", plane.plan.name)
        self._tell()

    def _tell(self) -> None:
        versions = {
            name: {
                role: None if loaded is None else loaded.record.version
                for role, loaded in (("champion", plane.serving.champion), ("shadow", plane.serving.shadow))
            }
            for name, plane in self._planes.items()
        }
        self._workers.tell(versions, self._meter.snapshot())


def _too_large(found: object, limit: int) -> RequestError:
    return TooLarge(
        "the body is too large", found=f"{found} bytes", expected=f"at most {limit}", do="Split the request"
    )
