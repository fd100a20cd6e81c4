"""A canary that is ended by itself, and one that becomes champion: three versions of the flights model under traffic.

Run it with ``make canary``. It works in a folder of its own, beside nothing that ``make demo`` leaves behind.

Champion is a model of a few shallow trees. First a canary comes that is worse by intention: one tree of two leaves.
Then one that is better: the model the demo serves. Passengers of July 2013 ask; every evening the watch looks at what
the canary's answers came to.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import world
from demo import await_endpoint
from rich.table import Table

import drivetrain as dt
from drivetrain.cli.door import err, out, plain_errors
from drivetrain.cli.live import LiveProgress
from drivetrain.core.clock import DAY, datetime_of, micros_of
from drivetrain.core.records import Decision, ModelVersion, Policy
from drivetrain.experiment.canary import Verdict
from drivetrain.registry.aliases import current, point

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
START = "2013-07-01"
DAYS = 40
MODESTLY = dt.LightGBM(num_boost_round=12, num_leaves=8, learning_rate=0.15)
BADLY = dt.LightGBM(num_boost_round=1, num_leaves=2, learning_rate=0.05)
WELL = dt.LightGBM(learning_rate=0.15)
CANARY = dt.Canary(
    version=0,
    steps=(0.2, 0.5),
    hold="2d",
    least=300,
    guardrails=(dt.Guardrail.errors(0.01), dt.Guardrail.loss(0.004)),
)


def main() -> None:
    """Plays both canaries and tells what became of them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with plain_errors(as_json=False), tempfile.TemporaryDirectory(prefix="flights-canary-") as folder:
        project = prepared(Path(folder) / "flights")
        with served(project):
            ended = play(project, 2, micros_of(START))
            promoted = play(project, 3, ended[-1].at)
        show([*ended, *promoted])
        out.print(f"\nChampion at the end: v{current(project.store, 'late')['champion']}.")


def prepared(folder: Path) -> dt.Project:
    """A copy of the project with raw data until July and three versions; the first is champion."""
    names = shutil.ignore_patterns(".drivetrain", "raw", "__pycache__")
    shutil.copytree(HERE, folder, ignore=names)
    for name, value in (("SERVE__PORT", "8721"), ("SERVE__ALLOW_AT", "true")):
        os.environ.setdefault(f"DRIVETRAIN_{name}", value)
    project = dt.Project.load(folder)
    world.lay_out(folder / "raw", micros_of(START))
    endpoint, model = project.endpoints["late"], project.models["late"]
    with LiveProgress() as live:
        for trainer in (MODESTLY, BADLY, WELL):
            # No gates: what is played here is what a canary finds that gates have let through.
            changed = replace(model, trainer=trainer, tune=None, baselines={}, gates=())
            project.models["late"], project.endpoints["late"] = changed, replace(endpoint, model=changed)
            project.run(progress=live, at=START)
    project.monitors.clear()
    point(project.store, "late", "shadow", None, because="Canaries meet passengers instead.", actor="canary.py")
    versions = sorted(version.version for version in project.store.catalog.find(ModelVersion, "late"))
    if versions != [1, 2, 3] or current(project.store, "late") != {"champion": 1}:
        raise SystemExit(f"expected versions 1 to 3, the first champion; found {versions}")
    return project


@contextmanager
def served(project: dt.Project) -> Iterator[None]:
    """The project's endpoint, up."""
    server = subprocess.Popen([sys.executable, "-m", "drivetrain", "serve", "--project", str(project.folder)])
    try:
        await_endpoint(project, [server])
        yield
    finally:
        server.terminate()
        server.wait(30)


def play(project: dt.Project, version: int, since: int) -> list[Decision]:
    """Gives a version a canary's share and replays days until it is champion or ended; what was decided."""
    known = {one.id for one in project.store.catalog.find(Decision, "late")}
    project.route("late", replace(CANARY, version=version), because=f"Let us see how v{version} does.", at=since)
    with LiveProgress() as live:
        for day in range(DAYS):
            project.replay("late", since=since + day * DAY, until=since + (day + 1) * DAY, progress=live)
            policy = project.store.catalog.get(Policy, "late")
            if policy is None or policy.mode == "champion":
                break
    made = project.store.catalog.find(Decision, "late")
    return [one for one in reversed(made) if one.what == "route" and one.id not in known]


def show(decisions: list[Decision]) -> None:
    """What was decided, and on what."""
    table = Table("day", "decision", "its squared error against the champion's", "labels")
    for one in decisions:
        verdict = msgspec.json.decode(one.evidence, type=Verdict) if one.version else None
        found = next((found for found in verdict.found if found.metric == "loss"), None) if verdict else None
        words = one.because.split(":")[0]
        figure = (
            "" if found is None else found.words.split(" from the ")[0].removeprefix("Its mean squared error lies ")
        )
        table.add_row(f"{datetime_of(one.at):%d %b}", words, figure, "" if found is None else f"{found.of:,}")
    err.rule("what became of the canaries")
    out.print(table)


if __name__ == "__main__":
    main()
