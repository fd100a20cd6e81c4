"""Draft a project around a notebook, a script or a model file; nothing of it is run.

The draft goes to stdout, or to DIR/project.py with --output; what could not be told goes to stderr, and stands in the
draft as TODO lines. A pickle is not opened.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import err, plain_errors, show_json
from drivetrain.cli.options import Json
from drivetrain.loop.adopt.adopt import adopt


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=".ipynb, .py; LightGBM's text, XGBoost's JSON, ONNX, skops.")
    ],
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for project.py; one that is there stays.")
    ] = None,
    json: Json = False,
) -> None:
    """Reads the file as text; takes no project."""
    with plain_errors(as_json=json):
        made = adopt(file, output)
        if json:
            show_json(made)
            return
        for line in made.found:
            err.print(f"✓ {line}", markup=False)
        for line in made.unknown:
            err.print(f"? {line}", style="yellow", markup=False)
        if made.written is None:
            sys.stdout.write(made.project)
        else:
            err.print(f"Written: {made.written}. Look at each TODO, then: drivetrain plan", markup=False)
