"""Report on an endpoint over a time: what its monitor saw, its alerts, what was decided.

With --output FILE.html as one page that needs nothing beside it, with FILE.json as every figure exactly; without, the
sentences on the terminal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.evaluate.wording import span
from drivetrain.loop.project import Project


def command(
    endpoint: Annotated[
        str | None,
        typer.Argument(help="Which endpoint, or table:NAME, features:NAME; not needed where there is one endpoint."),
    ] = None,
    *,
    since: Annotated[str | None, typer.Option(metavar="MOMENT", help="Start; by default of the first window.")] = None,
    until: Annotated[str | None, typer.Option(metavar="MOMENT", help="End; by default of the last window.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file: .html or .json.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Reads the catalog; changes nothing."""
    with plain_errors(as_json=json):
        made = Project.load(project).report(endpoint, since=since, until=until, output=output)
        if json:
            show_json(made)
            return
        wrapped(f"{made.endpoint}, {span(made.since, made.until)}", style="bold")
        wrapped(made.headline)
        for sentence in made.sentences:
            wrapped(sentence)
        if output is not None:
            out.print(f"written to {output}", markup=False)
