"""Bring the last champion back; running servers follow within a second, without losing a request."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")],
    model: Annotated[str | None, typer.Option(help="Which model; not needed where there is one.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Points the champion at the version before."""
    with plain_errors(as_json=json):
        alias = Project.load(project).rollback(model, because=because)
        if json:
            show_json(alias)
        else:
            out.print(f"{alias.model} is back at v{alias.version}; v{alias.previous} was champion.")
