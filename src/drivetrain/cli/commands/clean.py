"""Remove the artifacts of old versions, as the project's bounds say; first what would go is told.

Bounds are [registry] keep = {versions = 20, days = 365}, or project.model(…, keep=dt.Keep(versions=20)). Records stay.
Never touched: champion, challenger, shadow, the champion before, arms of an experiment; and what predictions in the
logs name, unless --logged.
"""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.cleaning import Cleaned
from drivetrain.loop.project import Project


def command(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is a plan.")] = False,
    because: Annotated[str, typer.Option(help="With --yes: the reason, kept in the timeline.")] = "",
    logged: Annotated[bool, typer.Option("--logged", help="Also versions that predictions in the logs name.")] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Without --yes, changes nothing."""
    with plain_errors(as_json=json):
        found = Project.load(project).versions.clean(do=yes, because=because, logged=logged)
        if json:
            show_json(found)
        else:
            _show(found)


def _show(found: Cleaned) -> None:
    for one in found.versions:
        mark = ("removed" if found.done else "would go") if one.goes else "stays"
        size = f"  {one.bytes:,} bytes" if one.goes else ""
        out.print(f"{mark:<9} {one.model} v{one.version}{size}  {one.because}", markup=False)
    going = sum(one.goes for one in found.versions)
    if not going:
        out.print("Nothing goes.")
    elif found.done:
        out.print(f"{going} versions lost their artifacts, {found.bytes:,} bytes.")
    else:
        out.print(f"{going} versions would lose their artifacts, {found.bytes:,} bytes. To do it: --yes --because …")
