"""Say that you have seen an alert; how long that took counts in the quality of alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    alert: Annotated[str, typer.Argument(help="Its id, the beginning of it, or its rule.")],
    *,
    actor: Annotated[str, typer.Option(help="Who you are.")] = "person",
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Changes nothing else: the alert stays open."""
    with plain_errors(as_json=json):
        seen = Project.load(project).alerts.acknowledge(alert, actor=actor)
        if json:
            show_json(seen)
        else:
            out.print(f"{seen.rule} on {seen.endpoint}: seen by {seen.by}.", markup=False)
