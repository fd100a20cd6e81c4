"""Erase one subject everywhere, prove it, and name the model versions that learned from them."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.live import LiveProgress
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.forget.forget import Forgotten
from drivetrain.loop.forget.learned import Learned
from drivetrain.loop.project import Project


def command(
    entity: Annotated[str, typer.Argument(help="What the subject is: an entity that a feature view describes.")],
    key: Annotated[str, typer.Argument(help="Its key; parts of one of several columns are parted by |.")],
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the record.")] = "the subject asked for it",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; erase nothing.")] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Retrain what learned from the subject.")] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Exits with 1 where something of the subject is left."""
    with plain_errors(as_json=json):
        with LiveProgress() as live:
            said = Project.load(project).forget(
                entity, key, dry_run=dry_run, retrain=retrain, because=because, progress=live
            )
        if json:
            show_json(said)
        else:
            _show(said)
        if not said.done:
            raise SystemExit(1)


def _show(said: Forgotten) -> None:
    if not said.erased:
        out.print(
            f"Nothing of this {said.entity} is kept." if said.dry_run else f"Nothing of this {said.entity} was kept."
        )
    for place, count in said.erased.items():
        out.print(f"{'would go' if said.dry_run else 'erased'}  {count:>9,}  {place}", markup=False)
    for one in said.versions:
        wrapped(_learned(one))
    for endpoint in said.retrain:
        wrapped(f"{endpoint}: the next look of its monitor retrains (drivetrain watch).")
    for text in said.waiting:
        wrapped(f"Not yet: {text}.", style="yellow")
    for path in said.outside:
        wrapped(f"Outside the project's state, and not ours to change: {path} still names them.", style="yellow")
    for text in said.beyond:
        wrapped(f"Beyond a search: {text}.", style="yellow")
    if said.dry_run:
        return
    for path in said.left:
        wrapped(f"Left: {path}", style="bold red")
    if said.done:
        how = "as text and by value" if said.searched == "text" else "by value: the key is too short to search as text"
        wrapped(f"Proven: no file of the project's state holds the subject, searched {how}. Record {said.id}.")


def _learned(one: Learned) -> str:
    serves = f", which is {' and '.join(one.serves)}" if one.serves else ""
    how = (
        f"{one.rows:,} rows of theirs"
        if one.rows
        else "what others' features say of them, or from rows that were erased before"
    )
    return f"{one.model} v{one.version}{serves} learned from {how}."
