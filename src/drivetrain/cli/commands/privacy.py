"""Look for personal data in a source or a file; say what there is, where, why and how long."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.data.personal import Verdict
from drivetrain.data.privacy.aggregate import Ask
from drivetrain.loop.privacy.anonymity import Hidden
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
    names: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Look for names of people and places in text, with this spaCy model."),
    ] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Say which columns look personal, with evidence and masked examples."""
    with plain_errors(as_json=json):
        found = Project.load(project).privacy.scan(what, names=names)
        if json:
            show_json(found)
            return
        for one in found.columns:
            _show(one)
        if not found.columns:
            wrapped(f"No column of {found.what} looks personal, in {found.rows:,} rows.")


@command.command()
def anonymity(
    table: Annotated[str, typer.Argument(help="A table.")],
    *,
    by: Annotated[str, typer.Option(help="Columns that others may know, parted by commas. [default: contract]")] = "",
    k: Annotated[int, typer.Option(help="Rows that must say the same in all of them.")] = 5,
    sensitive: Annotated[str | None, typer.Option(help="A column that must differ in each group.")] = None,
    values: Annotated[int, typer.Option("--l", help="Different values of it that each group must have.")] = 1,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Say whether rows of a table hide a person among others. Exits with 1 where they don't."""
    with plain_errors(as_json=json):
        columns = [name.strip() for name in by.split(",") if name.strip()]
        told = Project.load(project).privacy.anonymity(table, columns, k=k, sensitive=sensitive, diversity=values)
        if json:
            show_json(told)
        else:
            _hidden(told)
        if not told.holds:
            raise SystemExit(1)


def _hidden(told: Hidden) -> None:
    found = told.found
    wrapped(
        f"{told.table} version {told.version}: {found.rows:,} rows in {found.groups:,} groups that say the same in "
        f"{', '.join(told.columns)}; the smallest has {found.k:,}."
    )
    if found.small:
        wrapped(f"{found.small:,} rows are in groups of fewer than {told.k:,}.", style="yellow")
    if told.sensitive:
        wrapped(f"The group with the fewest values of {told.sensitive} has {found.diversity or 0}.")
    if found.alike:
        wrapped(f"{found.alike:,} rows are in groups with fewer than {told.diversity} of them.", style="yellow")
    wrapped("It holds." if told.holds else "It does not hold: generalise the columns, or leave rows out.")


@command.command()
def aggregate(
    table: Annotated[str, typer.Argument(help="A table.")],
    *,
    epsilon: Annotated[float, typer.Option(help="What the figure may tell of a subject.")],
    delta: Annotated[float, typer.Option(help="Probability of more; above 0 for Gaussian noise.")] = 0.0,
    count: Annotated[bool, typer.Option("--count", help="How many rows.")] = False,
    total: Annotated[str | None, typer.Option("--sum", metavar="COLUMN", help="A sum.")] = None,
    mean: Annotated[str | None, typer.Option(metavar="COLUMN", help="A mean.")] = None,
    histogram: Annotated[str | None, typer.Option(metavar="COLUMN", help="Rows by value.")] = None,
    low: Annotated[float | None, typer.Option(help="Least value; lesser ones count as this one.")] = None,
    high: Annotated[float | None, typer.Option(help="Greatest value; greater ones count as this one.")] = None,
    edges: Annotated[str, typer.Option(help="Bounds between a histogram's bins, parted by commas.")] = "",
    among: Annotated[str, typer.Option(help="A histogram's values, parted by commas.")] = "",
    per: Annotated[str | None, typer.Option(metavar="COLUMN", help="Whose row it is.")] = None,
    per_row: Annotated[bool, typer.Option("--per-row", help="Each row is another subject's.")] = False,
    most: Annotated[int, typer.Option(help="Rows of a subject that count at most.")] = 1,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Say a figure with noise, so that it tells little of anybody (differential privacy)."""
    with plain_errors(as_json=json):
        asked = {"count": "" if count else None, "sum": total, "mean": mean, "histogram": histogram}
        chosen = [(what, column) for what, column in asked.items() if column is not None]
        if len(chosen) != 1:
            raise UsageError("one figure at a time", expected="--count, --sum, --mean or --histogram")
        if (per is None) != per_row:
            raise UsageError(
                "a private figure tells little of a subject, and something must say whose rows are whose",
                expected="--per with the column that names the subject, or --per-row if nobody has two rows",
            )
        [(what, column)] = chosen
        ask = Ask(
            what=what,  # type: ignore[arg-type] # one of the four
            column=column or None,
            low=low,
            high=high,
            edges=tuple(_number(text) for text in edges.split(",") if text.strip()),
            among=tuple(text.strip() for text in among.split(",") if text.strip()),
            per=per,
            most=most,
            epsilon=epsilon,
            delta=delta,
        )
        told = Project.load(project).privacy.aggregate(table, ask)
        if json:
            show_json(told)
            return
        for label, value, lower, upper in zip(told.labels, told.values, told.lower, told.upper, strict=True):
            out.print(f"{told.what} of {label}: {value:,.6g} ({lower:,.6g} to {upper:,.6g} but for the noise)")
        if told.left_out:
            wrapped(f"Not counted: {told.left_out}.")
        if told.per is None:
            wrapped("Each row is taken for another subject: of who has several, as many times as much is told.")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError("edges are numbers", found=repr(text)) from None


@command.command()
def report(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Say what personal data there is: where, why, how long, and who read it."""
    with plain_errors(as_json=json):
        found = Project.load(project).privacy.report()
        if json:
            show_json(found)
            return
        for one in found.columns:
            treated = f", treated: {one.treated}" if one.treated else ""
            out.print(f"{one.source}.{one.column}: {one.privacy}{treated}", markup=False)
            wrapped(f"why: {one.purpose or 'nobody says: give the source a purpose='}", indent=2)
            for place in one.places:
                wrapped(f"in {place.where}: {place.rows:,} rows, kept {place.kept}", indent=2)
            if one.features:
                wrapped(f"features: {', '.join(one.features)}", indent=2)
            who = f" by {', '.join(one.readers)}" if one.readers else ""
            wrapped(f"read {one.reads:,} times{who}, last {one.last_read}" if one.reads else "never read", indent=2)
        if not found.columns:
            wrapped("No contract classes a column as personal. To look for some: drivetrain privacy scan SOURCE")
        wrapped(f"{found.forgotten:,} subjects were forgotten; {found.open:,} requests are open.")


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
