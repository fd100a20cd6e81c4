"""Draft a contract from data, check rows against one, export it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import ProjectError
from drivetrain.core.plugins import load
from drivetrain.data.drafting.draft import as_python
from drivetrain.data.examine import Examined
from drivetrain.loop.contracts import Contracts
from drivetrain.loop.project import Project

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_WHOLE = ("deliveries", "balance", "volume", "drift", "freshness", "min_rows")
Target = Annotated[str, typer.Argument(help="A source of the project, or a file.")]
Nulls = Annotated[
    list[str] | None, typer.Option(metavar="TEXT", help="In a CSV file, a text that stands for a missing value.")
]


@command.callback()
def _all() -> None:
    """Draft a contract from data, check rows against one, export it.

    Each takes --project DIR and --json. Files are looked at without a project too.
    """


@command.command()
def infer(target: Target, *, nulls: Nulls = None, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Draft a contract from a source's or a file's rows, as Python to paste."""
    with plain_errors(as_json=json):
        draft = _contracts(project, target).infer(target, nulls=tuple(nulls or ()))
        name = Path(target).stem
        if json:
            columns = {column: _rules(draft.columns[column]) for column in draft.columns}
            told = {"rows": draft.rows, "keys": draft.keys, "times": draft.times, "columns": columns}
            whole = {word: getattr(draft, word) for word in _WHOLE}
            rules = {word: {rule.says: rule.python for rule in getattr(draft, word)} for word in ("checks", "tables")}
            show_json({**told, "notes": draft.notes, **rules, **whole, "python": as_python(draft, name)})
            return
        sys.stdout.write(as_python(draft, name))


@command.command()
def check(
    target: Target,
    *,
    contract: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="The source whose contract it is, or a data contract in YAML."),
    ] = None,
    nulls: Nulls = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Hold rows against a contract; nothing is taken in. Ends with 1 if it is broken."""
    with plain_errors(as_json=json):
        found = _contracts(project, target, contract).check(target, contract=contract, nulls=tuple(nulls or ()))
        kept = all(one.kept for one in found)
        if json:
            show_json({"kept": kept, "batches": found})
        else:
            for one in found:
                _show(one)
            if not found:
                out.print("There are no rows.")
        raise SystemExit(0 if kept else 1)


@command.command()
def export(
    source: Annotated[str, typer.Argument(help="The source.")],
    *,
    _odcs: Annotated[
        bool, typer.Option("--odcs", help="As the Open Data Contract Standard 3 has it; there is no other form.")
    ] = True,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Write a source's contract as an Open Data Contract Standard document: YAML, or JSON with --json."""
    with plain_errors(as_json=json):
        document = Project.load(project).contracts.export(source)
        if json:
            show_json(document)
        else:
            sys.stdout.write(load("document", "yaml").write(document))


def _contracts(folder: Path, target: str, contract: str | None = None) -> Contracts:
    """The project's, where it has to do with it: a file may be looked at anywhere."""
    try:
        return Project.load(folder).contracts
    except ProjectError:
        alone = Path(target).is_file() and (contract is None or Path(contract.partition("#")[0]).is_file())
        if not alone or (folder / "project.py").exists():
            raise
        return Contracts(None)


def _rules(column: object) -> object:
    told = msgspec.to_builtins(column)
    return {name: value for name, value in told.items() if value not in (None, "", (), [], False) or name == "nullable"}


def _show(one: Examined) -> None:
    mark = "[green]✓[/]" if one.kept else "[red]✗[/]"
    out.print(f"{mark} [bold]{one.origin}[/]  {one.rows:,} rows, {one.bad:,} bad")
    for line in one.shape:
        out.print(f"  {line}", style="cyan", markup=False)
    for rule in one.failing:
        wrapped(rule, indent=2, hang=2, style="red")
    for reason, count in one.reasons.items():
        wrapped(f"{count:>9,}  {reason}", indent=2, hang=11)
    for example in one.examples:
        wrapped(f"for example {example}", indent=13, hang=2, style="dim")
