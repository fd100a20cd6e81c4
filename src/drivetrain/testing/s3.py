"""A private S3 server for tests: moto's, in a process of its own."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

from drivetrain.testing.server import Server, folder_of, free_port, started

_ANSWER_SECONDS = 60


@dataclass(frozen=True)
class S3(Server):
    """A running server of one's own, that keeps everything in memory."""

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

    def _ask(self, method: str, path: str, data: bytes | None) -> None:
        request = urllib.request.Request(f"{self.url}/{path}", data=data, method=method)  # noqa: S310 - our own server
        request.add_header("Content-Type", "application/octet-stream")
        request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20130701/us-east-1/s3/aws4_request")
        urllib.request.urlopen(request, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - as above


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
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with folder_of("s3") as folder:
        quiet = {"PYTHONWARNINGS": "ignore"}
        with started(command, folder, lambda _: _answers(port), environment=quiet) as process:
            yield S3(port, process)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
    except OSError:
        return False
    return True
