"""A private NATS server with JetStream for tests, started from the machine's binary."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from drivetrain.testing.server import Server, do_without, folder_of, free_port, started

_BINARY = "nats-server"


@dataclass(frozen=True)
class NatsServer(Server):
    """A running server of one's own."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """The server, once a session; skips, or fails where services are required, when there is no binary."""
    if shutil.which(_BINARY) is None:
        do_without(f"no {_BINARY} in PATH")
    with running_nats() as server:
        yield server


@contextmanager
def running_nats() -> Iterator[NatsServer]:
    """Starts a server on a free port, and ends it with all it holds.

    Raises:
        RuntimeError: There is no binary, or the server did not start; the message holds its log.
    """
    binary = shutil.which(_BINARY)
    if binary is None:
        raise RuntimeError(f"no {_BINARY}")
    port = free_port()
    with folder_of("nats") as folder:
        command = [binary, "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(folder)]
        with started(command, folder, lambda said: b"Server is ready" in said) as process:
            yield NatsServer(port, process)
