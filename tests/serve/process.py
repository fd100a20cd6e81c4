"""A real server process on a free port, and a plain client for it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from serve import world

_CODE = """
import sys
sys.path[:0] = [{tests!r}]
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.server import serve
settings = ServeSettings(**{settings!r})
try:
    serve({target!r}, settings, arguments=({folder!r},))
except DrivetrainError as error:
    sys.exit("refused: " + str(error))
"""
_PATIENCE = 60.0


class Server:
    """One running ``serve``."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], target: str) -> None:
        self.folder = folder
        self.port = settings["port"]
        self.log = folder / ".drivetrain/log"
        (folder / world.SETTINGS).write_text(json.dumps(settings), "utf-8")
        tests = str(Path(__file__).parent.parent)
        code = _CODE.format(tests=tests, settings=dict(settings), target=target, folder=str(folder))
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_ready(self) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, self.process.communicate()
            try:
                if self.get("/healthz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server did not come up")

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path: str) -> tuple[int, Any]:
        connection = self.client()
        try:
            return ask(connection, "GET", path)
        finally:
            connection.close()

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        connection = self.client()
        try:
            return ask(connection, "POST", path, body)
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = psutil.Process(self.process.pid).children()
        return [child.pid for child in children if any("spawn_main" in word for word in child.cmdline())]

    def wait_for_workers(self, count: int) -> None:
        """Until so many have said which versions they answer with; the first ready one answers before the others."""
        until = time.monotonic() + _PATIENCE
        while len(list((self.log / ".workers").glob("*.json"))) < count:
            assert time.monotonic() < until, "not all workers came up"
            time.sleep(0.02)

    def wait_for_answers(self, count: int, access: Path) -> None:
        """Until so many workers have answered, by the access log: they say their versions before they listen."""
        until = time.monotonic() + _PATIENCE
        while len(answered_by(access)) < count:
            assert time.monotonic() < until, "not all workers answer"
            self.get("/v1/endpoints")
            time.sleep(0.02)

    def end(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(_PATIENCE)


def answered_by(access: Path) -> set[int]:
    """Process ids of the workers that an access log knows."""
    return {json.loads(line)["pid"] for line in access.read_text().splitlines()} if access.exists() else set()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One request; a body that is not bytes is sent as JSON, and so is the answer read where it is JSON."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, data)
    response = connection.getresponse()
    text = response.read()
    if response.headers.get("content-type", "").startswith("application/json"):
        return response.status, json.loads(text)
    return response.status, text.decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    folder: Path,
    *,
    target: str = "serve.world:application",
    wait: bool = True,
    **settings: Any,
) -> Iterator[Server]:
    """A server over the world in a folder; ended when the context is."""
    server = Server(folder, {"port": free_port(), "allow_at": True} | settings, target)
    try:
        if wait:
            server.wait_ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.end()
        server.process.stdout.close()
        server.process.stderr.close()


def gone(pid: int) -> bool:
    """Whether a process has ended, waiting for it a while."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False
