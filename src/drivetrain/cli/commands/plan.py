"""Say what is out of date, and why; nothing is done."""

from __future__ import annotations

from rich.table import Table

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project

MARKS = {"done": "[green]✓[/]", "run": "[yellow]▶[/]", "depends": "[cyan]↳[/]"}


def command(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Compares every step with what is on record."""
    with plain_errors(as_json=json):
        steps = Project.load(project).plan()
        if json:
            show_json(steps)
            return
        todo = [step for step in steps if step.state != "done"]
        table = Table(box=None, padding=(0, 1), show_header=False)
        for step in steps:
            table.add_row(
                MARKS[step.state],
                step.name,
                f"[dim]{step.words}[/]",
                step.why if step in todo else "",
            )
        out.print(table)
        for step in steps:
            if step not in todo and "; not fresh: " in step.why:
                out.print(f"[yellow]{step.name}: {step.why}[/]")
        sure = sum(step.state == "run" for step in todo)
        if todo:
            out.print(f"\n{sure} to run, {len(todo) - sure} depend on them. To do it: [bold]drivetrain run[/]")
        else:
            out.print("\nEverything is up to date.")
