"""Bring everything up to date: ingest, features, train, judge, register, release. Does what `plan` says, once."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.live import LiveProgress
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    *,
    project: ProjectFolder = HERE,
    only: Annotated[str | None, typer.Option(help="Stop after a stage: data (tables and online features).")] = None,
    json: Json = False,
) -> None:
    """Runs what is out of date."""
    with plain_errors(as_json=json):
        loaded = Project.load(project)
        with LiveProgress() as live:
            outcome = loaded.run(only=only, progress=live)
        if json:
            show_json(outcome)
        elif outcome.did:
            out.print(f"{len(outcome.did)} of {len(outcome.steps)} steps ran in {outcome.seconds:.1f} s.")
        else:
            out.print("Nothing to do: everything is up to date.")
        for reason in outcome.refused:
            if not json:
                out.print(f"[yellow]refused:[/] {reason}")
    if outcome.refused:
        raise typer.Exit(1)
