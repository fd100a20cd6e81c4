"""Take in a version that another project exported, under its own number.

Every digest is checked, and seal and signature where registry.verify_key is set. Nothing is overwritten, no alias is
moved; a version that is there already is left as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What drivetrain export wrote.")],
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")],
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Ends with 1 where the file is refused."""
    with plain_errors(as_json=json):
        done = Project.load(project).versions.take(file, because=because)
        if json:
            show_json(done)
        elif done.there:
            out.print(f"{done.model} v{done.version} is there already; nothing was done.", markup=False)
        else:
            out.print(
                f"{done.model} v{done.version} of project {done.project} was taken in. To let it answer: "
                f"drivetrain promote {done.version} --because …",
                markup=False,
            )
