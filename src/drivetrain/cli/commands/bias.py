"""Show what a model's training set says of protected groups: shares, label rates, nulls. Before any training."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.clock import iso
from drivetrain.core.records import BiasReport, Measure
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.wording import counted_as, findings, labelled, points
from drivetrain.evaluate.wording import percent
from drivetrain.loop.project import Project

_TOLD = 3
_SHOWN = 12


def command(
    model: Annotated[str | None, typer.Argument(help="The model; not needed where there is one.")] = None,
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Makes the model's training set if need be, looks at it, and keeps the report."""
    with plain_errors(as_json=json):
        report = Project.load(project).data.bias(model)
        if json:
            show_json(report)
            return
        _show(report)


def _show(report: BiasReport) -> None:
    out.print(
        f"[bold]{escape(report.model)}[/] would learn from {report.rows:,} rows of "
        f"{escape(report.data.removeprefix('table:'))}, {iso(report.since)[:10]} to {iso(report.until)[:10]}"
    )
    for attributes, found in groupby(report.groups, key=lambda group: tuple(group.attributes)):
        groups = list(found)
        out.print()
        shown = Table(box=None, padding=(0, 2, 0, 0))
        shown.add_column(escape(" × ".join(attributes)))
        declared = any(group.expected is not None for group in groups)
        for heading in ("rows", "share", *(["declared"] if declared else [])):
            shown.add_column(heading, justify="right", no_wrap=True)
        for heading in ("positive", "points against the others"):
            shown.add_column(heading, no_wrap=True)
        for group in groups[:_SHOWN]:
            shares = [percent(share) for share in (group.share.value, group.expected) if share is not None]
            told = [*shares, *([""] if declared and group.expected is None else [])]
            shown.add_row(escape(group.name), f"{group.rows:,}", *told, _rate(group.rate), _gap(group.gap))
        out.print(shown)
        if len(groups) > _SHOWN:
            out.print(f"and {len(groups) - _SHOWN} smaller groups: --json tells them", style="dim")
    out.print()
    for sentence in findings(report):
        wrapped(sentence, hang=2)
    oftenest = [f"{labelled(name)} {percent(share.value)}" for name, share in list(report.missing.items())[:_TOLD]]
    if oftenest:
        wrapped(f"Missing most often: {', '.join(oftenest)}.", hang=2)
    wrapped(counted_as(report), hang=2, style="dim")


def _rate(rate: Measure | None) -> str:
    if rate is None or rate.low is None or rate.high is None:
        return "too few to say"
    return f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})".replace(" %", "%")


def _gap(gap: Measure | None) -> str:
    if gap is None:
        return "too few to say"
    return f"[{'yellow' if sure(gap) else 'dim'}]{points(gap).replace(' points', '')}[/]"
