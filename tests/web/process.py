"""A real control server in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SERVE = """
import sys
from drivetrain.core.settings import WebSettings
from drivetrain.web.server import leave, serve
serve(sys.argv[1], WebSettings(port=int(sys.argv[2])), ready=lambda address: print(address, flush=True))
leave(0)
"""


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def serving(target: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a running server and its process, which is ended at the end."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, target, str(free_port())],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the server ended before it listened"
        yield address, process
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
