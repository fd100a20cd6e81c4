"""A private Redis or Valkey server for tests, started from whatever binary the machine has."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest
from redis import Redis

_REQUIRE = "DRIVETRAIN_REQUIRE_SERVICES"
_BINARIES = ("redis-server", "valkey-server")
_START_SECONDS = 30
_DATABASES = 256


@dataclass(frozen=True)
class RedisServer:
    """A running server of one's own, that keeps nothing on disk."""

    port: int
    socket: Path
    """Its Unix socket."""
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=lambda: cycle(range(_DATABASES)))

    def url(self, database: int = 0) -> str:
        """The URL of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """The URL of an empty database; the first is emptied and given again after 256."""
        url = self.url(next(self._numbers))
        with Redis.from_url(url) as client:
            client.flushdb()
        return url

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The server, once a session; skips, or fails where services are required, when there is no binary."""
    if find_binary() is None:
        reason = f"no {' or '.join(_BINARIES)} in PATH"
        if os.environ.get(_REQUIRE) == "1":
            pytest.fail(f"{reason}, and {_REQUIRE}=1")
        pytest.skip(reason)
    with running_redis() as server:
        yield server


def find_binary() -> str | None:
    """The server's binary, or ``None``."""
    return next(filter(None, map(shutil.which, _BINARIES)), None)


@contextmanager
def running_redis(*options: str, port: int | None = None) -> Iterator[RedisServer]:
    """Starts a server on a port and a socket of its own, and ends it with all it holds.

    Args:
        *options: Settings as on its command line, for example ``"--maxmemory", "8mb"``.
        port: Where; a free one by default.

    Raises:
        RuntimeError: There is no binary, or the server did not start; the message holds its log.
    """
    binary = find_binary()
    if binary is None:
        raise RuntimeError("no redis binary")
    folder = Path(tempfile.mkdtemp(prefix="drivetrain-redis-"))
    place = port or _free_port()
    command = [binary, "--port", str(place), "--bind", "127.0.0.1", "--unixsocket", str(folder / "socket")]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no", "--databases", str(_DATABASES), *options]
    log = folder / "log"
    try:
        with (
            log.open("wb") as output,
            subprocess.Popen(command, stdout=output, stderr=output) as process,  # noqa: S603 - a binary of the machine's
        ):
            try:
                _wait(process, log)
                yield RedisServer(place, folder / "socket", process)
            finally:
                process.kill()  # nothing in it is to be kept
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while log.read_bytes().count(b"eady to accept connections") < 2:  # the port and the socket
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server did not start: {log.read_text('utf-8', 'replace')}")
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
