"""The server process: workers behind one port, until a signal ends them."""

from __future__ import annotations

import asyncio
import errno
import gc
import importlib
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings

from drivetrain.core import plugins
from drivetrain.core.errors import DrivetrainError, SettingsError, StoreError, UsageError
from drivetrain.core.settings import ServeSettings
from drivetrain.core.transport import OpenTransport, Transport
from drivetrain.serve.door import InnerDoor
from drivetrain.serve.tls import tls_of

DRAIN_SECONDS = 30
TRANSPORT_SECONDS = 10
"""Of these, what requests that did not come over HTTP may take to end."""
CONNECTIONS = 8
"""Connections that a worker takes for each request that may wait; one too many waits unanswered, not for its 429."""
RETRY_SECONDS = 1.0
"""How long a worker that can't load waits between two tries."""
_ENDING = (signal.SIGTERM, signal.SIGINT)
_ONE_THREAD = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_log = logging.getLogger(__name__)


def serve(target: str, settings: ServeSettings, *, arguments: Sequence[str] = ()) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests under way and returns.

    Args:
        target: ``module:function``; called in each worker, it returns the worker's
            :class:`~drivetrain.serve.app.Application`.
        settings: Host, port, workers and TLS.
        arguments: Texts that the function is called with, for example the project folder.

    Raises:
        SettingsError: The certificate or its key can't be used.
        MissingExtra: gRPC is asked for and not installed.
        DrivetrainError: The port is taken, or a worker could not start; the message says why.
    """
    tls = tls_of(settings)
    check_port(settings.host, settings.port)
    if settings.grpc_port:
        _check_grpc(settings)
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    # A forked worker would share locks with threads it does not have; spawned ones begin clean.
    multiprocessing.set_start_method("spawn", force=True)
    with tempfile.TemporaryDirectory(prefix="drivetrain-serve-") as folder:
        excuse = Path(folder) / "excuse"
        server = Granian(
            target,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.RSGI,
            workers=settings.workers,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                pipeline_flush=True, header_read_timeout=max(1, int(settings.body_seconds * 1000))
            ),
            ssl_cert=tls.certificate if tls else None,
            ssl_key=tls.key if tls else None,
            ssl_protocol_min=SSLProtocols.tls12,
            websockets=False,
            backlog=2048,
            backpressure=settings.queue * CONNECTIONS,
            log_enabled=False,
            respawn_failed_workers=True,
            workers_kill_timeout=DRAIN_SECONDS,
        )
        server.main_loop_interrupt = _Wake(server)
        try:
            loader: Any = partial(
                _load, target, tuple(arguments), excuse, settings
            )  # typed for plain callables, takes RSGI objects
            server.serve(target_loader=loader, wrap_loader=False)
        except SystemExit as ended:
            if ended.code and not server.interrupt_signal:
                raise _why(excuse) from None


def check_port(host: str, port: int, setting: str = "port") -> None:
    """Makes sure that nobody listens there yet.

    Args:
        host: The host.
        port: The port.
        setting: What it is called in ``[serve]``.

    Raises:
        DrivetrainError: Somebody does, or the address can't be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise DrivetrainError(
                    f"port {port} on {host} is in use",
                    do=f"Stop what listens there, or choose another with [serve] {setting} in drivetrain.toml",
                ) from None
            raise UsageError(f"nothing can listen on {host}:{port}: {error.strerror or error}") from None


def _check_grpc(settings: ServeSettings) -> None:
    plugins.load("transport", "grpc")
    if settings.grpc_port == settings.port:
        raise SettingsError("serve.grpc_port is serve.port", found=settings.port, expected="another port")
    check_port(settings.host, settings.grpc_port, "grpc_port")


def _load(target: str, arguments: tuple[str, ...], excuse: Path, settings: ServeSettings) -> _Worker:
    module, _, name = target.partition(":")
    loaded, parent = excuse.with_name("loaded"), os.getppid()
    while True:
        try:
            application: _Hosted = getattr(importlib.import_module(module), name)(*arguments)
            worker = _Worker(application, _transport(application, settings))
        except DrivetrainError as error:
            # In the place of a worker that died it waits for a store that is away: were it to end, those that still
            # serve would end with it.
            if isinstance(error, StoreError) and loaded.exists() and os.getppid() == parent:
                _log.warning("a worker waits to take its place: %s", error)
                time.sleep(RETRY_SECONDS)
                continue
            excuse.write_text(str(error), encoding="utf-8")
            raise SystemExit(1) from None
        loaded.touch()
        return worker


class _Interrupted(Protocol):
    """The server, as far as it tells what it was woken for."""

    interrupt_signal: bool
    interrupt_children: list[int]


class _Wake(threading.Event):
    """What wakes the server's main loop; the loop clears it once it has seen that a worker ended.

    A signal, or another worker's end, that came at the same instant would be cleared with it, and never be seen.
    """

    def __init__(self, server: _Interrupted) -> None:
        super().__init__()
        self._server = server

    def clear(self) -> None:
        super().clear()
        if self._server.interrupt_signal or self._server.interrupt_children:
            self.set()


def _transport(application: _Hosted, settings: ServeSettings) -> Transport | None:
    if not settings.grpc_port:
        return None
    opened: OpenTransport = plugins.load("transport", "grpc")
    return opened(InnerDoor(application.__rsgi__), settings)


class _Hosted(Protocol):
    """What a target makes: an :class:`~drivetrain.serve.app.Application`, whose floors this process need not load."""

    async def __rsgi__(self, scope: Any, wire: Any) -> None: ...  # noqa: ANN401 - the server's own types

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None: ...

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None: ...


class _Worker:
    """An application whose process ends with it.

    The server's own threads still run when the event loop has ended; were the interpreter taken down around them, some
    would now and then abort the process, drained though it is.

    Args:
        application: The application.
        transport: Another way in beside HTTP, if there is one.
    """

    def __init__(self, application: _Hosted, transport: Transport | None) -> None:
        self._application = application
        self._transport = transport
        self.__rsgi__ = application.__rsgi__

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        with _heard_later(loop):
            self._application.__rsgi_init__(loop)
            if self._transport is not None:
                loop.run_until_complete(self._transport.start())
            # What is there now stays; looking through it again and again would take time from requests.
            gc.collect()
            gc.freeze()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._transport is not None:
            loop.run_until_complete(self._transport.stop(TRANSPORT_SECONDS))
        self._application.__rsgi_del__(loop)
        os._exit(0)


@contextmanager
def _heard_later(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Keeps signals that come while a worker loads until its event loop runs; it hears none before that."""
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _ENDING}

    def hear() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for signalled in came[:1]:
            os.kill(os.getpid(), signalled)

    try:
        yield
    finally:
        loop.call_soon(hear)


def _why(excuse: Path) -> DrivetrainError:
    if excuse.exists():
        return DrivetrainError(excuse.read_text("utf-8"))
    return DrivetrainError("the server's workers keep ending", do="Look at what they wrote to standard error")
