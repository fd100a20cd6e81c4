"""Start the endpoint, the watch and the dashboard together; stop them together."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import FrameType

from drivetrain.cli.door import err, plain_errors
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import DrivetrainError
from drivetrain.loop.project import Project

PARTS = ("serve", "watch", "web")
GRACE = 15.0


def command(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Blocks until stopped, or until one of the three ends."""
    with plain_errors(as_json=json):
        folder = Project.load(project).folder
        stopping = False

        def stop(_signal: int, _frame: FrameType | None) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        running = {
            part: subprocess.Popen([sys.executable, "-m", "drivetrain", part, "--project", str(folder)])  # noqa: S603 - ourselves
            for part in PARTS
        }
        try:
            while not stopping and all(child.poll() is None for child in running.values()):
                time.sleep(0.2)
        finally:
            _end(list(running.values()))
        if not stopping:
            ended = next(part for part, child in running.items() if child.returncode not in {0, -signal.SIGTERM})
            raise DrivetrainError(f"{ended} ended by itself", do=f"Its reason stands above; try: drivetrain {ended}")
        err.print("stopped")


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
