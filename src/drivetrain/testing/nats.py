"""A private NATS server with JetStream for tests, started from the machine's binary."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_REQUIRE = "DRIVETRAIN_REQUIRE_SERVICES"
_BINARY = "nats-server"
_START_SECONDS = 30


@dataclass(frozen=True)
class NatsServer:
    """A running server of one's own."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """The server, once a session; skips, or fails where services are required, when there is no binary."""
    if shutil.which(_BINARY) is None:
        reason = f"no {_BINARY} in PATH"
        if os.environ.get(_REQUIRE) == "1":
            pytest.fail(f"{reason}, and {_REQUIRE}=1")
        pytest.skip(reason)
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="drivetrain-nats-"))
    log = folder / "log"
    command = [binary, "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(folder)]
    try:
        with (
            log.open("wb") as output,
            subprocess.Popen(command, stdout=output, stderr=output) as process,  # noqa: S603 - a binary of the machine's
        ):
            try:
                until = time.monotonic() + _START_SECONDS
                while b"Server is ready" not in log.read_bytes():
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"the server did not start: {log.read_text('utf-8', 'replace')}")
                    time.sleep(0.01)
                yield NatsServer(port, process)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
