"""A private Redis or Valkey server for tests, started from whatever binary the machine has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest
from redis import Redis

from drivetrain.testing.server import Server, do_without, folder_of, free_port, started

_BINARIES = ("redis-server", "valkey-server")
_DATABASES = 256


@dataclass(frozen=True)
class RedisServer(Server):
    """A running server of one's own, that keeps nothing on disk."""

    socket: Path
    """Its Unix socket."""
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


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The server, once a session; skips, or fails where services are required, when there is no binary."""
    if find_binary() is None:
        do_without(f"no {' or '.join(_BINARIES)} in PATH")
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
    place = port or free_port()
    with folder_of("redis") as folder:
        command = [binary, "--port", str(place), "--bind", "127.0.0.1", "--unixsocket", str(folder / "socket")]
        command += ["--dir", str(folder), "--save", "", "--appendonly", "no", "--databases", str(_DATABASES), *options]
        with started(command, folder, _ready) as process:
            yield RedisServer(place, process, folder / "socket")


def _ready(said: bytes) -> bool:
    return said.count(b"eady to accept connections") >= 2  # the port and the socket
