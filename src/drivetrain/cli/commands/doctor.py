"""Check what the project stands on: settings, stores, disk, ports, artifacts."""

from __future__ import annotations

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project

MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "broken": "[red]✗[/]"}


def command(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Looks; changes nothing."""
    with plain_errors(as_json=json):
        findings = Project.load(project).doctor()
        if json:
            show_json(findings)
        else:
            for finding in findings:
                out.print(f"{MARKS[finding['state']]} {finding['about']}: {finding['words']}")
                if finding.get("do"):
                    out.print(f"    {finding['do']}")
    if any(finding["state"] == "broken" for finding in findings):
        raise typer.Exit(1)
