"""Give the approval that a version waits for; it is released at once, as its model's rules say.

The gate is declared with dt.Gate.approval(by=…). Reason and name are kept in the timeline and in the audit, beside
whom the operating system says it was.
"""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    version: Annotated[str, typer.Argument(help="Which version: late@3, or 3.")],
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")],
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who approves; by default who is logged in.")] = None,
    model: Annotated[str | None, typer.Option(help="Which model, where the name does not say.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Ends with 1 where it waits for somebody else, or for nobody."""
    with plain_errors(as_json=json):
        done = Project.load(project).versions.approve(version, because=because, by=by, model=model)
        if json:
            show_json(done)
        else:
            out.print(f"{done.model} v{done.version} is approved by {done.by}: {done.released}.", markup=False)
