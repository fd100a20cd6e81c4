"""A small project that really runs: the one that ``drivetrain init`` makes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivetrain.cli.scaffold import scaffold
from drivetrain.core.errors import DrivetrainError
from drivetrain.loop.client import Client
from drivetrain.loop.project import Project

ORDER = {"order_id": "new-1", "customer": "c001", "category": "dresses", "amount": 120.0}
TRIALS = "trials=5"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_shop(folder: Path) -> Path:
    """A fresh shop that tunes little and listens on ports of its own."""
    scaffold(folder)
    edit(folder, TRIALS, "trials=2")
    (folder / "drivetrain.toml").write_text(
        f"[serve]\nport = {free_port()}\nallow_at = true\n[web]\nport = {free_port()}\n[compute]\nthreads = 1\n"
    )
    return folder


def copy_shop(made: Path, folder: Path) -> Path:
    """A copy with its state, on ports of its own."""
    shutil.copytree(made, folder)
    (folder / "drivetrain.toml").write_text(
        f"[serve]\nport = {free_port()}\nallow_at = true\n[web]\nport = {free_port()}\n[compute]\nthreads = 1\n"
    )
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    """Changes the project's code."""
    path = folder / "project.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def command(folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs ``drivetrain`` as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "drivetrain", words[0], "--project", str(folder), *words[1:]],
        check=check,
        capture_output=True,
        text=True,
        timeout=300,
    )


@contextmanager
def serving(folder: Path, *, patience: float = 60.0, endpoint: str = "returned") -> Iterator[Client]:
    """The shop's endpoint, up, and a client of it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "drivetrain", "serve", "--project", str(folder)], env=os.environ, stderr=subprocess.PIPE
    )
    client = Client(Project.load(folder).settings.serve, patience=5.0)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                client.describe(endpoint)
                break
            except DrivetrainError:
                assert server.poll() is None, server.stderr.read().decode() if server.stderr else ""
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield client
    finally:
        client.close()
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        finally:
            server.kill()
            if server.stderr:
                server.stderr.close()
