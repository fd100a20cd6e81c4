"""Make keys that sign model versions, and sign versions that were registered without."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import err, out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@command.callback()
def _all() -> None:
    """Make keys that sign model versions, and sign versions that were registered without.

    Each takes --project DIR and --json.
    """


@command.command()
def create(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where; outside the project's state, made if it is not there.")
    ],
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Make an Ed25519 key; prints the lines for drivetrain.toml."""
    with plain_errors(as_json=json):
        made = Project.load(project).keys.create(folder)
        if json:
            show_json(made)
            return
        err.print(f"[dim]Key {made.id}. Only who registers versions needs signing_key; servers need verify_key.[/]")
        out.print(made.settings, end="", markup=False)


@command.command()
def sign(
    version: Annotated[int, typer.Argument(help="Which version.")],
    *,
    because: Annotated[str, typer.Option(help="Why it is trusted; kept in the timeline.")],
    model: Annotated[str | None, typer.Option(help="Which model; not needed where there is one.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Sign a version with registry.signing_key; running servers take it at their next look."""
    with plain_errors(as_json=json):
        done = Project.load(project).keys.sign(version, because=because, model=model)
        if json:
            show_json(done)
        else:
            out.print(f"{done.model} v{done.version} is signed with key {done.key}.", markup=False)
