"""List, show, bring back and drop the rows that contracts have set aside."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.loop.project import Project
from drivetrain.loop.quarantine import SetAside

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Source = Annotated[str, typer.Argument(help="The source whose rows they are.")]
Rule = Annotated[str | None, typer.Option(metavar="WORDS", help="Only rows that broke a rule with these words in it.")]
Batch = Annotated[int | None, typer.Option(metavar="N", help="Only rows of this batch.")]
Because = Annotated[str, typer.Option(help="The reason, kept in the record.")]
Rows = Annotated[list[str] | None, typer.Option("--row", metavar="NAME", help="Only this row; once for each.")]


@command.callback()
def _all() -> None:
    """List, show, bring back and drop the rows that contracts have set aside.

    Each takes --project DIR and --json.
    """


@command.command("list")
def every(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Count what is set aside, by source and rule."""
    with plain_errors(as_json=json):
        heaps = Project.load(project).quarantine.list()
        if json:
            show_json(heaps)
            return
        for heap in heaps:
            out.print(f"[bold]{heap.source}[/]  {heap.rows:,} rows")
            for rule, count in heap.rules.items():
                wrapped(f"{count:>9,}  {rule}", indent=2, hang=11)
        if not heaps:
            out.print("No row is set aside.")


@command.command()
def show(
    source: Source,
    *,
    rule: Rule = None,
    batch: Batch = None,
    limit: Annotated[int, typer.Option(help="How many rows at most; 0 for all.", min=0)] = 20,
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="Show personal, sensitive and secret values as they are.")
    ] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Show rows with what they broke, newest first."""
    with plain_errors(as_json=json):
        found = Project.load(project).quarantine.show(
            source, rule=rule, batch=batch, limit=limit or None, unmasked=unmasked
        )
        if json:
            show_json(found)
            return
        for row in found:
            _show(row)
        if not found:
            out.print("No such row is set aside.")


@command.command()
def readmit(
    source: Source,
    *,
    rule: Rule = None,
    batch: Batch = None,
    row: Rows = None,
    mend: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=VALUE", help="Set a value in all of them first; once for each."),
    ] = None,
    because: Because = "",
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Bring rows back through prepare and contract, after a fix; what is still bad stays with its new reasons."""
    with plain_errors(as_json=json):
        made = Project.load(project).quarantine.readmit(
            source, rule=rule, batch=batch, rows=row or (), mend=_mend(mend or []), because=because
        )
        if json:
            show_json(made)
            return
        out.print(f"{made.admitted:,} of {made.tried:,} rows are back; {source} is at version {made.version}")
        if made.unreadable:
            out.print(f"{made.unreadable:,} rows can't be read: deliver them again")
        for reason, count in made.reasons.items():
            wrapped(f"{count:>9,}  {reason}", indent=2, hang=11)


@command.command()
def drop(
    source: Source,
    *,
    rule: Rule = None,
    batch: Batch = None,
    row: Rows = None,
    every_row: Annotated[bool, typer.Option("--all", help="Drop all of them.")] = False,
    because: Because = "",
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Remove rows from the quarantine for good."""
    with plain_errors(as_json=json):
        went = Project.load(project).quarantine.drop(
            source, rule=rule, batch=batch, rows=row or (), every=every_row, because=because
        )
        if json:
            show_json({"source": source, "dropped": went})
        else:
            out.print(f"{went:,} rows dropped")


def _show(row: SetAside) -> None:
    where = f"{row.origin}, line {row.line}" if row.line else row.origin
    out.print(f"{row.row}  batch {row.batch}  {where}  {row.at}", style="bold", markup=False)
    for reason in row.reasons:
        wrapped(reason, indent=2, hang=2, style="yellow")
    values = row.text if row.values is None else ", ".join(f"{name}={value}" for name, value in row.values.items())
    wrapped(values, indent=2, hang=2, style="dim")


def _mend(given: list[str]) -> dict[str, str | None]:
    parted = [text.partition("=") for text in given]
    odd = [name for name, equals, _ in parted if not equals or not name]
    if odd:
        raise UsageError("--set takes a column and its value", found=repr(odd[0]), expected="COLUMN=VALUE")
    return {name: value or None for name, _, value in parted}
