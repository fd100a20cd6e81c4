"""Make a version that passed its gates the champion; with --force one that did not.

What is forced stays on record with what the gates had against it: in the timeline, in the audit, and on the card.
"""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    version: Annotated[int, typer.Argument(help="Which version.")],
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")],
    model: Annotated[str | None, typer.Option(help="Which model; not needed where there is one.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although its gates said no; the reason goes on its card.")
    ] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Points the champion at a version."""
    with plain_errors(as_json=json):
        alias = Project.load(project).promote(model, version, because=because, force=force)
        if json:
            show_json(alias)
        else:
            out.print(f"{alias.model} v{alias.version} is champion; before it was v{alias.previous or '–'}.")
