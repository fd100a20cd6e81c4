"""Write a version as one file: records, artifacts, card, reference profile and lineage, each with its digest.

It is sealed where registry.signing_key is set. Another project takes it in with: drivetrain import FILE --because …
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    version: Annotated[str, typer.Argument(help="Which version: late@3, or 3.")],
    *,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The file; replaced if it is there.")],
    model: Annotated[str | None, typer.Option(help="Which model, where the name does not say.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """The file is there whole, or not at all."""
    with plain_errors(as_json=json):
        done = Project.load(project).versions.export(version, output, model=model)
        if json:
            show_json(done)
            return
        seal = f"sealed with key {done.sealed}" if done.sealed else "not sealed"
        out.print(
            f"{done.model} v{done.version}: {done.file}, {done.blobs} blobs, {done.size:,} bytes, {seal}.", markup=False
        )
