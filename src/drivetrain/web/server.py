"""The control server's process: granian in this one, until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from drivetrain.core.errors import SettingsError, UsageError
from drivetrain.core.settings import WebSettings


def serve(target: str, settings: WebSettings, ready: Callable[[str], None] | None = None) -> None:
    """Serves an application until SIGTERM or SIGINT, then returns.

    Args:
        target: ``module:function`` that takes nothing and returns the ASGI application.
        settings: Where to listen.
        ready: Called once with the address, when requests are taken.

    Raises:
        SettingsError: The address can't be listened on, for example because the port is in use.
        UsageError: The target is no such function; what it raises itself is passed on.
    """
    claim(settings)
    run(_resolve(target)(), settings, ready)


def run(app: Any, settings: WebSettings, ready: Callable[[str], None] | None = None) -> None:  # noqa: ANN401 - any ASGI application
    """Serves an application that is made already; as :func:`serve` otherwise."""
    asyncio.run(_serve(app, settings, ready))


def leave(code: int) -> NoReturn:
    """Ends a process that has served.

    The server's own threads may outlive :func:`serve` by a moment. One that asks for the interpreter while it is torn
    down is unwound by it, which aborts the process with SIGABRT (seen in 1 of 30 stops under load); so nothing is torn
    down.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def claim(settings: WebSettings) -> None:
    """Checks that the address is free to listen on.

    Raises:
        SettingsError: It is not.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise SettingsError(
            f"the dashboard can't listen on {settings.host}:{settings.port}: {(error.strerror or str(error)).lower()}",
            do="Stop what uses that port, or set [web] port in drivetrain.toml (or DRIVETRAIN_WEB__PORT)",
        ) from None


async def _serve(app: Any, settings: WebSettings, ready: Callable[[str], None] | None) -> None:  # noqa: ANN401 - any ASGI application
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.serve())
    if ready is not None and await _listening(settings, serving):
        ready(f"http://{settings.host}:{settings.port}")
    await serving


async def _listening(settings: WebSettings, serving: asyncio.Task[None]) -> bool:
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return True
    return False


def _resolve(target: str) -> Callable[[], Any]:
    name, _, attribute = target.partition(":")
    try:
        found = getattr(importlib.import_module(name), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UsageError(f"no application is at {target!r}: {error}", expected="module:function") from None
    if not callable(found):
        raise UsageError(f"{target!r} can't be called", found=type(found).__name__, expected="a function")
    return found  # type: ignore[no-any-return]
