"""Private servers for tests: each on a port of its own, waited for, killed, or left out where it can't be had."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

REQUIRE = "DRIVETRAIN_REQUIRE_SERVICES"
"""Where it is ``1``, what a machine lacks fails tests that are left out otherwise."""
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server of one's own."""

    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def do_without(reason: str, *, module: bool = False) -> NoReturn:
    """Skips a test, or a whole module, for want of something; fails it where everything is required."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{reason}, and {REQUIRE}=1", pytrace=False)
    pytest.skip(reason, allow_module_level=module)


@contextmanager
def folder_of(name: str) -> Iterator[Path]:
    """A folder for a server's own files, gone with them at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"drivetrain-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(
    command: Sequence[str | Path],
    folder: Path,
    ready: Callable[[bytes], bool],
    *,
    environment: Mapping[str, str] | None = None,
    end: signal.Signals = signal.SIGKILL,
    **more: Any,  # noqa: ANN401 - as Popen takes it
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the end, when it is killed with all that it holds.

    Args:
        command: What to run.
        folder: Where it runs, and its log is kept.
        ready: Whether it serves, given what it has said so far.
        environment: What it finds in its environment beside ours.
        end: What it is ended with; nothing in it is to be kept.
        **more: For :class:`subprocess.Popen`.

    Raises:
        RuntimeError: It does not start; the message holds its log.
    """
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - binaries of the machine's own
            command, stdout=output, stderr=output, cwd=folder, env={**os.environ, **(environment or {})}, **more
        ) as process,
    ):
        try:
            until = time.monotonic() + _START_SECONDS
            while not ready(log.read_bytes()):
                if process.poll() is not None or time.monotonic() > until:
                    name = Path(command[0]).name
                    raise RuntimeError(f"{name} did not start: {log.read_text('utf-8', 'replace')}")
                time.sleep(0.02)
            yield process
        finally:
            process.send_signal(end)


def listens(port: int) -> bool:
    """Whether somebody accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
