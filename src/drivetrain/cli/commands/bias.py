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
from drivetrain.core.records import BiasGroup, BiasReport, Measure
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.wording import counted_as, findings, labelled, points
from drivetrain.evaluate.wording import percent
from drivetrain.loop.project import Project

_TOLD = 3


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
    for attributes, groups in groupby(report.groups, key=lambda group: tuple(group.attributes)):
        out.print()
        shown = Table(box=None, padding=(0, 2, 0, 0))
        shown.add_column(escape(" × ".join(attributes)), max_width=34)
        for heading in ("rows", "share", "positive", "against everybody else"):
            shown.add_column(heading, justify="right" if heading == "rows" else "left")
        for group in groups:
            shown.add_row(
                escape(group.name), f"{group.rows:,}", _share(group), _measure(group.rate), _gap(group, report.least)
            )
        out.print(shown)
    out.print()
    for sentence in findings(report):
        wrapped(sentence, hang=2)
    oftenest = [f"{labelled(name)} {percent(share.value)}" for name, share in list(report.missing.items())[:_TOLD]]
    if oftenest:
        wrapped(f"Missing most often: {', '.join(oftenest)}.", hang=2)
    wrapped(counted_as(report), hang=2, style="dim")


def _share(group: BiasGroup) -> str:
    told = _measure(group.share)
    return told if group.expected is None else f"{told}, declared {percent(group.expected)}"


def _measure(measure: Measure | None) -> str:
    if measure is None:
        return "too few to say"
    bounds = (
        "" if measure.low is None or measure.high is None else f" ({percent(measure.low)} to {percent(measure.high)})"
    )
    return f"{percent(measure.value)}{bounds}"


def _gap(group: BiasGroup, least: int) -> str:
    if group.gap is None:
        return f"too few to say (under {least})" if group.rows < least else "too few to say"
    style = "yellow" if sure(group.gap) else "dim"
    return f"[{style}]{points(group.gap)}[/]"
