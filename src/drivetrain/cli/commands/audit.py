"""Show who did what, when, to what; check that nothing in that account was changed."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    about: Annotated[str | None, typer.Argument(help="Only what was done to it: a table, model, endpoint.")] = None,
    *,
    what: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only this: promote, run, table; read for every read.")
    ] = None,
    who: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this user or actor did.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check every entry and what it tells of.")] = False,
    head: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="A digest noted earlier: it must be there.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many entries to show, newest first.")] = 20,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Exits with 1 where something does not hold."""
    with plain_errors(as_json=json):
        found = Project.load(project).audit(about, what=what, who=who, verify=verify, head=head, limit=limit)
        if json:
            show_json(found)
        else:
            for one in found.entries:
                who = f"{one.user} as {one.actor}" if one.actor else one.user
                out.print(f"{one.number:>6}  {one.at}  {one.what:<12} {one.about}  {who}", markup=False)
            if not found.total:
                out.print("Nothing is on record yet.")
            for flaw in found.flaws:
                wrapped(f"✗ {flaw.what}", style="bold red")
            if found.verified and found.whole and found.total:
                wrapped(f"All {found.total:,} entries follow one another. To hold it to that later, note: {found.head}")
        if not found.whole:
            raise SystemExit(1)
