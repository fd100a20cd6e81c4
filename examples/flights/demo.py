"""The whole road in one go: raw files → tables → features → model → endpoint → half a year of traffic → retraining.

Run it with ``make demo``; ``make demo WAIT=0`` stops the servers at the end.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import world

from drivetrain.cli.door import err, plain_errors
from drivetrain.cli.live import LiveProgress
from drivetrain.core.clock import micros_of
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import Replay
from drivetrain.loop.client import Client
from drivetrain.loop.project import Project
from summary import show_summary

HERE = Path(__file__).resolve().parent
START = "2013-07-01"
END = "2014-01-01"
READY_SECONDS = 60.0
LAY_OUT = "lay out raw data: January to June 2013"


def main() -> None:
    """Runs the road, then shows what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-wait", action="store_true", help="stop the servers and exit")
    parser.add_argument("--until", default=END, help=f"replay until this day (default {END})")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.setdefault("DRIVETRAIN_SERVE__ALLOW_AT", "true")
    with plain_errors(as_json=False):
        road(until=options.until, wait=not options.no_wait)


def road(*, until: str, wait: bool) -> None:
    """Lays out raw data, brings the project up to date, serves, replays, and tells."""
    began = time.perf_counter()
    err.rule("[bold]drivetrain[/]: will this flight be late?")
    project = Project.load(HERE)
    if project.store.catalog.find(Replay, "late"):
        err.print("The replay was begun before: it goes on where it was.")
    else:
        with LiveProgress() as live:
            live.start(LAY_OUT)
            world.lay_out(HERE / "raw", micros_of(START))
            live.finish(LAY_OUT, "monthly files, a database, JSON lines")
            project.run(progress=live, at=START)
    # Not "up": the replay itself looks at the monitors, by the clock of 2013 and not by today's.
    servers = [
        subprocess.Popen([sys.executable, "-m", "drivetrain", part, "--project", str(HERE)])
        for part in ("serve", "web")
    ]
    try:
        await_endpoint(project, servers)
        with LiveProgress() as live:
            project.replay("late", since=START, until=until, progress=live)
        show_summary(project, seconds=time.perf_counter() - began)
        if wait:
            err.print("\nThe endpoint and the dashboard stay up. Stop them with Ctrl-C.")
            servers[0].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(30)
        project.store.close()


def await_endpoint(project: Project, servers: list[subprocess.Popen[bytes]]) -> None:
    """Returns once the endpoint answers.

    Raises:
        DrivetrainError: The servers ended, or did not come up in time.
    """
    client = Client(project.settings.serve)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            client.describe("late")
        except DrivetrainError:
            if any(server.poll() is not None for server in servers):
                raise DrivetrainError("the servers could not start", do="The reason stands above") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            client.close()
            return


if __name__ == "__main__":
    main()
