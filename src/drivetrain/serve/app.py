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
from functools import partial
from pathlib import Path
from typing import Protocol

from drivetrain.core.errors import DrivetrainError, NotFound, Overloaded, StoreError
from drivetrain.core.settings import ServeSettings
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.registry.load import load_engine
from drivetrain.serve.body import Intake
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.denial import completed
from drivetrain.serve.explain.explainer import Explainers
from drivetrain.serve.guard import OPEN, Guard
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.refusal import MethodRefused
from drivetrain.serve.reload import LoadEngine, Reloader
from drivetrain.serve.request import Request, RequestHeaders
from drivetrain.serve.response import Headers, failure
from drivetrain.serve.routes import explain, features, invocations, native, openapi, operations, v1, v2
from drivetrain.serve.routes.error_shape import error_shape
from drivetrain.serve.routes.route import Route
from drivetrain.serve.routes.versioned import unversioned
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.tokens import Holder
from drivetrain.serve.witness import WatchedDataplane, Witnesses
from drivetrain.serve.workers import FOLDER, Workers
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
        load: Opens a version's engine, on ``settings.threads`` where nothing is given; another one in tests.
        hosted: Whether the process is another server's, which ends by itself, and not a worker of ours.
    """

    def __init__(
        self,
        plans: Sequence[EndpointPlan],
        store: Store,
        settings: ServeSettings,
        log_folder: Path,
        *,
        pushers: Mapping[str, features.Pushes] | None = None,
        load: LoadEngine | None = None,
        hosted: bool = False,
    ) -> None:
        self._store = store
        self._settings = settings
        self._meter = Meter()
        self._workers = Workers(log_folder)
        witnesses = Witnesses(settings, self._meter)
        self._witnesses = witnesses or None
        dataplane = WatchedDataplane if witnesses else Dataplane
        keys = KeyRing(store.catalog, store.folder)
        self._planes = {
            plan.name: dataplane(plan, store.online, settings, log_folder, self._meter, keys) for plan in plans
        }
        for plane in self._planes.values():
            plane.in_company = self._in_company
        opened = load or partial(load_engine, threads=settings.threads)
        self._reloader = Reloader(self._planes, store, opened, self._meter, self._housekeeping)
        self._explainers = Explainers(self._planes, store.blobs, settings, self._meter)
        if settings.explain_share:
            for name, plane in self._planes.items():
                plane.offer_explained = self._explainers.by_name[name].offer
        self._parent = None if hosted else os.getppid()
        self._intake = Intake(settings)
        self._begun = 0
        self._waiting = 0
        self._most_waiting, self._most_begun = settings.queue, settings.queue * 2
        self._meter.levels |= {"queue": lambda: self._waiting, "arriving": lambda: self._intake.arriving}
        routes = [
            *native.routes(self._planes, settings, self._workers),
            *explain.routes(self._explainers, settings),
            *features.routes(pushers or {}, settings),
            *v2.routes(self._planes, settings),
            *v1.routes(self._planes, settings),
            *invocations.routes(self._planes, settings),
            *operations.routes(
                self._planes, self._meter, self._workers, self._reloader, private=settings.tokens == "on"
            ),
        ]
        routes += openapi.routes(routes, plans, settings, OPEN)
        self._routes = {(route.method, route.path): route for route in routes}
        self._paths = {route.path for route in routes}
        guard = Guard(settings, store, routes, log_folder / FOLDER)
        self._guard = None if guard.idle else guard

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Loads what the catalog names before the first request comes."""
        for plane in self._planes.values():
            plane.lookup.warm()
        if self._guard is not None:
            self._guard.start()
        self._reloader.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Finishes what is under way and lets go of everything."""
        self._reloader.close()
        if self._guard is not None:
            self._guard.close()
        self._explainers.close()
        for plane in self._planes.values():
            try:
                plane.close()
            except StoreError:
                _log.exception("the log of endpoint %s could not be closed", plane.plan.name)
        self._tell()
        if self._witnesses is not None:
            self._witnesses.close()
        self._store.close()

    async def __rsgi__(self, scope: Scope, wire: Wire) -> None:
        """Answers one request."""
        started = time.perf_counter()
        method, path, headers = scope.method, scope.path, scope.headers
        route = self._routes.get((method, path))
        holder: Holder | None = None
        body = b""
        if self._witnesses is not None:
            self._witnesses.begin()
        self._begun += 1
        try:
            if self._guard is not None:
                holder = self._guard.identify(path, headers, started)
            if route is None:
                route = self._find(method, path)
            if self._guard is not None:
                self._guard.permit(holder, route)
            if route.method == "GET":
                response = await route.handler(Request(headers, body))
            else:
                self._check_queue()
                body = await self._intake.read(headers, wire)
                self._check_queue()  # others may have come while the body did
                self._waiting += 1
                try:
                    response = await route.handler(Request(headers, body))
                finally:
                    self._waiting -= 1
        except Exception as error:  # noqa: BLE001 - the last door: whatever it is becomes one JSON error
            response = completed(failure(error, error_shape(path)), error)
        finally:
            self._begun -= 1
        wire.response_bytes(response.status, response.headers, response.body)
        seconds = time.perf_counter() - started
        if route is None:
            self._meter.answered("", "unknown", response.status, 0.0)
        else:
            self._meter.answered(route.endpoint, route.name, response.status, seconds)
        if self._witnesses is not None:
            self._witnesses.tell(
                (method, headers),
                route,
                response,
                seconds=seconds,
                received=len(body),
                token="" if holder is None else holder.id,
            )

    def _check_queue(self) -> None:
        # Those that are answered without a pause wait in the event loop, where only their beginning is seen.
        begun = self._begun - self._intake.slow
        if self._waiting >= self._most_waiting or begun > self._most_begun:
            raise Overloaded(
                "more requests wait than the server may hold",
                found=max(self._waiting, begun),
                expected=f"fewer than {self._settings.queue}",
                do="Come again in a second",
            )

    def _in_company(self) -> bool:
        # In a larger crowd those who wait for a common write would be refused places to others.
        return 1 < self._begun - self._intake.slow <= self._most_waiting // 2

    def _find(self, method: str, path: str) -> Route:
        path = unversioned(path, self._planes)
        route = self._routes.get(("GET" if method == "HEAD" else method, path))
        if route is not None:
            return route
        if path in self._paths:
            others = [other for other, known in self._routes if known == path]
            raise MethodRefused(
                f"{path} can't be asked that way",
                found=method,
                allowed=[*others, *(["HEAD"] if "GET" in others else [])],
            )
        about = "/v1/features/" if path.startswith("/v1/features/") else "/v1/endpoints/"
        near = [known for known in sorted(self._paths) if known.startswith(about) and known.count("/") == 4]
        raise NotFound(
            "nothing is at this path",
            found=path[:200],
            expected=f"for example {' or '.join(near)}" if near else None,
        )

    def _housekeeping(self) -> None:
        if self._parent is not None and os.getppid() != self._parent:
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
            | {"policy": None if plane.serving.router is None else plane.serving.router.policy.at}
            for name, plane in self._planes.items()
        }
        self._workers.tell(versions, self._meter.snapshot())
