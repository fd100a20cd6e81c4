"""End an alert by hand, with a reason; or say of one that has ended whether it was useful.

The next window that breaks its rule opens another: where that is to be expected, silence the rule.
"""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    alert: Annotated[str, typer.Argument(help="Its id, the beginning of it, or its rule.")],
    *,
    because: Annotated[str, typer.Option(help="Why; one that has ended needs no reason.")] = "",
    useful: Annotated[
        bool | None, typer.Option("--useful/--noise", help="Whether it was worth telling.", show_default=False)
    ] = None,
    actor: Annotated[str, typer.Option(help="Who you are.")] = "person",
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """What people say of alerts is what `drivetrain status` reports of their quality."""
    with plain_errors(as_json=json):
        ended = Project.load(project).alerts.resolve(alert, because=because, useful=useful, actor=actor)
        if json:
            show_json(ended)
            return
        worth = "" if ended.useful is None else f", {'useful' if ended.useful else 'noise'}"
        out.print(f"{ended.rule} on {ended.endpoint}: ended{worth}.", markup=False)
