"""Run schedules and monitors until stopped: new data, drift, performance, retraining, shadow, canaries, bandits."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import err, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.clock import iso
from drivetrain.core.records import Decision
from drivetrain.loop.project import Project


def command(
    *,
    project: ProjectFolder = HERE,
    every: Annotated[float, typer.Option(help="Seconds between looks.")] = 30.0,
    looks: Annotated[int | None, typer.Option(help="Stop after so many; by default, never.")] = None,
    json: Json = False,
) -> None:
    """One watch a project: a second one waits for the first to end."""

    def tell(decision: Decision) -> None:
        if json:
            show_json(decision)
        else:
            err.print(f"{iso(decision.at)} {decision.about} {decision.what}: {decision.because}", markup=False)

    with plain_errors(as_json=json):
        Project.load(project).watch(every=every, looks=looks, tell=tell)
