"""Look for personal data in a source or a file; say what there is, where, why and how long."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.data.privacy.columns import Verdict
from drivetrain.loop.project import Project

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@command.callback()
def _all() -> None:
    """Look for personal data in a source or a file; say what there is, where, why and how long.

    Each takes --project DIR and --json.
    """


@command.command()
def scan(
    what: Annotated[str, typer.Argument(help="A source, or a file: CSV, Parquet, JSON lines, Arrow, plain text.")],
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Say which columns look personal, with evidence and masked examples."""
    with plain_errors(as_json=json):
        found = Project.load(project).privacy.scan(what)
        if json:
            show_json(found)
            return
        for one in found.columns:
            _show(one)
        if not found.columns:
            wrapped(f"No column of {found.what} looks personal, in {found.rows:,} rows.")


def _show(one: Verdict) -> None:
    out.print(f"{one.column}: {one.kind}, {one.score:.0%} sure", markup=False)
    for text in one.evidence:
        wrapped(text, indent=2)
    if one.examples:
        wrapped(f"such as {', '.join(one.examples)}", indent=2)
    if one.declared is None:
        wrapped(f'declare it: privacy="{one.privacy}"', indent=2, style="yellow")
    elif one.declared in {"public", "internal"}:
        wrapped(f'declared {one.declared}; should be privacy="{one.privacy}"', indent=2, style="yellow")
