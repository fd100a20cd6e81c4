"""Make a version again from its record, in a scratch run, and say what is the same.

Tables are read as they were, the fit is done anew, and artifacts are compared byte by byte; where these differ, answers
are compared. Nothing is registered, no alias is moved. Ends with 1 where the result is not the same.
"""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.live import LiveProgress
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project
from drivetrain.loop.reproduce.said import Reproduced

_VERDICTS = {
    "bits": "the same, byte for byte",
    "predictions": "the same answers, within the tolerance",
    "different": "not the same",
}


def command(
    version: Annotated[str, typer.Argument(help="Which version: late@3, or 3.")],
    *,
    model: Annotated[str | None, typer.Option(help="Which model, where the name does not say.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Fit with today's code although it is not what the version was made by.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(help="Largest difference of answers that counts as the same, where bytes differ.")
    ] = 1e-6,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Refuses where the code is another, unless told otherwise."""
    with plain_errors(as_json=json):
        with LiveProgress() as live:
            found = Project.load(project).reproduce(
                version, model=model, anyway=anyway, tolerance=tolerance, progress=live
            )
        if json:
            show_json(found)
        else:
            _show(found)
        if not found.same:
            raise SystemExit(1)


def _show(found: Reproduced) -> None:
    for part in found.parts:
        if part.equal:
            wrapped(f"✓ {part.name}{f': {part.then or part.now}' if part.then or part.now else ''}", hang=4)
        else:
            wrapped(f"✗ {part.name}: was {part.then or 'another'}, is {part.now or 'this'}", hang=4, style="yellow")
    for change in found.code:
        wrapped(f"code  {change.name}: was {change.before or 'not there'}, is {change.after or 'not there'}", hang=6)
    for change in found.environment:
        wrapped(f"here  {change.name}: was {change.before or 'not there'}, is {change.after or 'not there'}", hang=6)
    for note in found.notes:
        wrapped(note, style="dim")
    if found.difference is not None:
        wrapped(
            f"On {found.rows:,} rows, answers lie {found.difference:.2g} apart at most; {found.tolerance:.2g} is "
            "allowed, times the largest answer where that is above 1."
        )
    style = "green" if found.same else "red"
    out.print(
        f"[bold {style}]{found.model} v{found.version}: {_VERDICTS[found.verdict]}[/]  [dim]{found.seconds:.1f} s[/]"
    )
