"""Start a project in a folder: a project.py that runs, to be changed into yours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import Json
from drivetrain.cli.scaffold import scaffold


def command(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is not there.")] = Path(),
    *,
    json: Json = False,
) -> None:
    """Writes files that are not there yet; touches none that are."""
    with plain_errors(as_json=json):
        made = scaffold(folder)
        if json:
            show_json({"made": [str(path) for path in made]})
            return
        for path in made:
            out.print(f"[green]✓[/] {path}")
        out.print(f"\nNext: [bold]cd {folder}[/], then [bold]drivetrain plan[/] and [bold]drivetrain run[/].")
