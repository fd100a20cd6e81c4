"""Card fraud in one go: half a year of payments → features → models → the handbook's figures → a day live.

Run it with ``make fraud``. It begins anew each time: what an earlier run left in this folder is removed.
"""

from __future__ import annotations

import argparse
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

import checks
import polars as pl
import world
from figures import Scores, out, show_figures, show_stream
from stream import Stream

from drivetrain.cli.door import err, plain_errors
from drivetrain.cli.live import LiveProgress
from drivetrain.core.clock import DAY, Micros, micros_of
from drivetrain.core.errors import DrivetrainError
from drivetrain.loop.client import Client
from drivetrain.loop.project import Project

HERE = Path(__file__).resolve().parent
TODAY: Micros = micros_of("2018-08-22")
"""The outcomes of the test week are known; the model is trained, and goes live."""
READY_SECONDS = 60.0


def main() -> None:
    """Runs the road, streams, checks, and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=1, help="how many days to stream (default 1, of 9,700 payments)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.setdefault("DRIVETRAIN_SERVE__ALLOW_AT", "true")
    with plain_errors(as_json=False):
        road(HERE, options.days)


def road(folder: Path, days: int, scale: world.Scale = world.FULL) -> Stream:
    """Lays out what has arrived, brings the project up to date, judges it, goes live, and checks what was served.

    Raises:
        RefusedError: Something that must hold does not.
        DrivetrainError: Another server listens already, or ours could not start.
    """
    err.rule("[bold]drivetrain[/]: is this card stolen?")
    project, clock = Project.load(folder), Clock()
    refuse_a_port_in_use(project)
    for left in (".drivetrain", "raw"):
        shutil.rmtree(folder / left, ignore_errors=True)
    until = TODAY + days * DAY
    try:
        with LiveProgress() as progress:
            with clock.part("world"):
                progress.start("lay out raw data")
                world.lay_out(folder / "raw", TODAY, scale)
                progress.finish("lay out raw data", "payments to 21 August, outcomes of those to 14 August")
            with clock.part("tables, features, models"):
                project.run(progress=progress, at=TODAY)
            with clock.part("oracle"):
                held = [checks.features_are_the_handbooks(project, progress)]
        with clock.part("figures"):
            show_figures(Scores(project))
        arriving = world.arriving(TODAY, until, scale)
        places = pl.read_csv(folder / "raw" / "terminals.csv")
        payments = arriving["transactions"].join(places, on="terminal_id", maintain_order="left")
        with clock.part("stream"), serving(project) as client, LiveProgress() as progress:
            stream = Stream(project, client)
            stream.play(payments, arriving["outcomes"], progress)
        with clock.part("checks"), LiveProgress() as progress:
            task = "check what was served"
            progress.start(task)
            world.deliver(folder / "raw", TODAY, until + world.KNOWN_AFTER, scale)
            project.run(only="data")
            held += [checks.nothing_counted_itself(stream), checks.served_as_offline(project)]
            live, same = checks.scored_as_offline(project, stream, TODAY, until)
            progress.finish(task, "every value and every score")
        show_stream(stream, live, [*held, same])
        out.print(f"\n{clock.words()}")
    finally:
        project.store.close()
    return stream


class Clock:
    """How long each part took."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._took: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Times what is done inside."""
        began = time.perf_counter()
        yield
        self._took[name] = time.perf_counter() - began

    def words(self) -> str:
        """All of it in a line."""
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self._took.items())
        return f"the whole road took {time.perf_counter() - self._began:.0f} s: {parts}"


def refuse_a_port_in_use(project: Project) -> None:
    """Says so before anything is done, and never talks to another project's server.

    Raises:
        DrivetrainError: Something listens where the server is to.
    """
    serve = project.settings.serve
    with socket.socket() as probe:
        if probe.connect_ex((serve.host, serve.port)) == 0:
            raise DrivetrainError(
                f"something listens at {serve.host}:{serve.port} already",
                do="Stop it, or say DRIVETRAIN_SERVE__PORT=… for another port",
            )


@contextmanager
def serving(project: Project) -> Iterator[Client]:
    """The project's server, up, and a client of it.

    Raises:
        DrivetrainError: It could not start.
    """
    server = subprocess.Popen([sys.executable, "-m", "drivetrain", "serve", "--project", str(project.folder)])
    client = Client(project.settings.serve)
    deadline = time.monotonic() + READY_SECONDS
    try:
        while not ready(project, client):
            if server.poll() is not None:
                raise DrivetrainError("the server could not start", do="The reason stands above")
            if time.monotonic() > deadline:
                raise DrivetrainError(f"the server was not ready within {READY_SECONDS:.0f} seconds")
            time.sleep(0.1)
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait(30)


def ready(project: Project, client: Client) -> bool:
    """Whether every endpoint has a version to answer with."""
    try:
        return all(client.describe(name)["ready"] for name in project.endpoints)
    except DrivetrainError:
        return False


if __name__ == "__main__":
    main()
