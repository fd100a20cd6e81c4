"""Options every command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ProjectFolder: TypeAlias = Annotated[
    Path, typer.Option("--project", "-p", metavar="DIR", help="The project's folder.", show_default=True)
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for programs.")]
HERE = Path()
