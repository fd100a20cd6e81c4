"""Show what a table version holds, column by column, and what moved since another."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.data import ColumnFigures
from drivetrain.loop.project import Project

_RARE = 0.005
"""Share below which the most frequent value says nothing."""
_TOLD = 3


def command(
    table: Annotated[str, typer.Argument(help="The table: a source, or what a step made.")],
    *,
    version: Annotated[int | None, typer.Option(metavar="N", help="Which version; the newest by default.")] = None,
    against: Annotated[int | None, typer.Option(metavar="N", help="The version to compare with.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Reads the profile that was made when the rows came in; changes nothing."""
    with plain_errors(as_json=json):
        found = Project.load(project).data(table, version=version, against=against)
        if json:
            show_json(found)
            return
        out.print(f"[bold]{escape(found.table)}[/] version {found.version}, {found.rows:,} rows\n")
        shown = Table(box=None, padding=(0, 2))
        for heading in ("column", "type", "empty", "distinct", "values"):
            shown.add_column(heading, justify="right" if heading in {"empty", "distinct"} else "left")
        for column in found.columns:
            distinct = "" if column.distinct is None else f"{column.distinct:,}"
            shown.add_row(
                escape(column.name),
                column.dtype.partition("(")[0],
                f"{column.nulls:.1%}",
                distinct,
                escape(_values(column)),
            )
        out.print(shown)
        for reason, count in found.reasons.items():
            wrapped(f"{count:>9,}  {reason}", indent=2, hang=11, style="dim")
        if found.against is not None:
            out.print(f"\nagainst version {found.against}:")
            for one in found.moved:
                wrapped(one.words, indent=2, hang=2, style="yellow" if one.moved else "dim")


def _values(column: ColumnFigures) -> str:
    if column.masked:
        return "masked"
    if column.quantiles:
        low, *_, high = column.quantiles.values()
        return f"median {column.quantiles['0.5']:.4g}, 5% to 95% {low:.4g} to {high:.4g}"
    if column.top and column.top[0][1] < _RARE:
        return "many, none frequent"
    if column.top:
        return ", ".join(f"{name} {share:.0%}" for name, share in column.top[:_TOLD])
    return "" if column.low is None else f"{column.low} to {column.high}"
