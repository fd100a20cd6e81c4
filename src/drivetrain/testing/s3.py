"""A private S3 server for tests: moto's, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

_START_SECONDS = 60


@dataclass(frozen=True)
class S3:
    """A running server of one's own, that keeps everything in memory."""

    port: int
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What tells AWS's clients to use it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
        }

    def bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"fresh{next(self._numbers)}"
        self.put(name, b"")
        return name

    def put(self, path: str, data: bytes) -> None:
        """Keeps an object: ``bucket/key``; a bucket alone is made."""
        self._ask("PUT", path, data)

    def delete(self, path: str) -> None:
        """Removes an object, or an empty bucket."""
        self._ask("DELETE", path, None)

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self.process.wait()

    def _ask(self, method: str, path: str, data: bytes | None) -> None:
        request = urllib.request.Request(f"{self.url}/{path}", data=data, method=method)  # noqa: S310 - our own server
        request.add_header("Content-Type", "application/octet-stream")
        request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20130701/us-east-1/s3/aws4_request")
        urllib.request.urlopen(request, timeout=_START_SECONDS).close()  # noqa: S310 - as above


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """The server, once a session."""
    with running_s3() as server:
        yield server


@contextmanager
def running_s3() -> Iterator[S3]:
    """Starts a server on a free port, and ends it with all it holds.

    Raises:
        RuntimeError: It did not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    ) as process:
        try:
            _wait(process, port)
            yield S3(port, process)
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("moto's server did not start") from None
            time.sleep(0.05)
        else:
            return
