"""Show for whom a model's answers are worse: rates by protected group on rows it had not seen, with intervals."""

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
from drivetrain.core.records import FairnessReport, Measure
from drivetrain.evaluate.fairness.wording import how_sure, threshold_words, worse_for
from drivetrain.evaluate.parity import FALSE_POSITIVE, PRECISION, SELECTION, TRUE_POSITIVE
from drivetrain.evaluate.wording import DASH, percent
from drivetrain.loop.project import Project

_SHOWN = 12
_TOLD = {SELECTION: "acted on", TRUE_POSITIVE: "caught", FALSE_POSITIVE: "wrongly", PRECISION: "right"}


def command(
    model: Annotated[str | None, typer.Argument(help="The model; not needed where there is one.")] = None,
    *,
    version: Annotated[int | None, typer.Option(help="Which version; the newest by default.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Shows what was measured when the version was judged."""
    with plain_errors(as_json=json):
        report = Project.load(project).probes.fairness(model, version=version)
        if json:
            show_json(report)
            return
        _show(report)


def _show(report: FairnessReport) -> None:
    out.print(
        f"[bold]{escape(report.model)}[/] answered {report.rows:,} rows that it had not seen, "
        f"{iso(report.since)[:10]} to {iso(report.until)[:10]}"
    )
    for attributes, found in groupby(report.groups, key=lambda group: tuple(group.attributes)):
        groups = list(found)
        out.print()
        shown = Table(box=None, padding=(0, 1, 0, 0))
        shown.add_column(escape(" × ".join(attributes)), min_width=9)
        shown.add_column("rows", justify="right", no_wrap=True)
        for heading in _TOLD.values():
            shown.add_column(heading, no_wrap=True)
        for group in groups[:_SHOWN]:
            shown.add_row(escape(group.name), f"{group.rows:,}", *(_rate(group.rates.get(name)) for name in _TOLD))
        out.print(shown)
        if len(groups) > _SHOWN:
            out.print(f"and {len(groups) - _SHOWN} smaller groups: --json tells them", style="dim")
    out.print()
    for sentence in worse_for(report):
        wrapped(sentence, hang=2)
    meant = "Caught: of those that came true. Wrongly: of those that did not. Right: of those acted on."
    wrapped(meant, hang=2, style="dim")
    wrapped(threshold_words(report), hang=2, style="dim")
    wrapped(how_sure(report), hang=2, style="dim")


def _rate(rate: Measure | None) -> str:
    if rate is None:
        return "too few"
    if rate.low is None or rate.high is None:
        return percent(rate.value)
    low, high = (percent(bound).removesuffix(" %") for bound in (rate.low, rate.high))
    return f"{percent(rate.value).replace(' %', '%')} ({low}{DASH}{high})"
