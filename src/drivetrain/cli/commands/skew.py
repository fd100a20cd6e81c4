"""Recompute logged feature values offline, as of each request, and count what differs."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    endpoint: Annotated[str | None, typer.Argument(help="Which endpoint; not needed where there is one.")] = None,
    *,
    since: Annotated[str | None, typer.Option(help="Only predictions made for this moment or later.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Measures training/serving skew on the prediction log."""
    with plain_errors(as_json=json):
        found = Project.load(project).skew(endpoint, since=since)
        if json:
            show_json(found)
            return
        out.print(f"{found['predictions']:,} predictions, {found['values']:,} feature values compared.")
        for name, mismatch in found["mismatches"].items():
            out.print(f"  [yellow]{name}[/]: {mismatch['count']:,} differ, for example {mismatch['example']}")
        if not found["mismatches"]:
            out.print("[green]✓[/] every value is what the training set would hold: no skew.")
    if found["mismatches"]:
        raise typer.Exit(1)
