"""Play the declared traffic against the running endpoint, day after day in compressed time, labels arriving late."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.live import LiveProgress
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    endpoint: Annotated[str | None, typer.Argument(help="Which endpoint; not needed where there is one.")] = None,
    *,
    since: Annotated[str, typer.Option(help="First day.")],
    until: Annotated[str, typer.Option(help="The day after the last.")],
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Goes on where a replay that was stopped left off."""
    with plain_errors(as_json=json):
        loaded = Project.load(project)
        with LiveProgress() as live:
            summary = loaded.replay(endpoint, since=since, until=until, progress=live)
        if json:
            show_json(summary)
        else:
            out.print(summary["words"])
