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
from drivetrain.evaluate.fairness.mitigation import By, Mitigated
from drivetrain.evaluate.fairness.thresholds import Constraint, GroupRule
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
    mitigate: Annotated[
        By | None, typer.Option(help="Try a mitigation, and say what it changes and what it costs.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The protected attribute to mitigate for; the first if none.")
    ] = None,
    constraint: Annotated[Constraint, typer.Option(help="What is to be made alike.")] = "equalized_odds",
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Shows what was measured when the version was judged."""
    with plain_errors(as_json=json):
        probes = Project.load(project).probes
        if mitigate is not None:
            tried = probes.mitigate(model, by=mitigate, column=column, constraint=constraint, version=version)
            show_json(tried) if json else _mitigated(tried)
            return
        report = probes.fairness(model, version=version)
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


def _mitigated(tried: Mitigated) -> None:
    out.print(
        f"[bold]{escape(tried.model)}[/] v{tried.version}, {tried.by} by {escape(tried.column)}: learned from "
        f"{tried.learned:,} rows, judged on {tried.judged:,} later ones"
    )
    shown = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("of 100", "before", "after", "change"):
        shown.add_column(heading, no_wrap=True)
    for each in (*tried.disparities, *tried.costs):
        change = "" if each.change is None else _of_hundred(each.change, sign=True)
        name = each.name.replace("_difference", "_gap").replace("_", " ")
        shown.add_row(name, _of_hundred(each.before), _of_hundred(each.after), change)
    out.print(shown)
    for rule in tried.rules:
        wrapped(_rule(rule), hang=2)
    for note in tried.notes:
        wrapped(note, hang=2, style="dim")


def _of_hundred(figure: Measure, *, sign: bool = False) -> str:
    form = "{:+.0f}" if sign else "{:.0f}"
    told = f"{100 * figure.value:{'+' if sign else ''}.1f}"
    if figure.low is None or figure.high is None:
        return told
    return f"{told} ({form.format(100 * figure.low)} to {form.format(100 * figure.high)})"


def _rule(rule: GroupRule) -> str:
    told = " or ".join(
        f"{threshold:.3g}" + ("" if weight == 1.0 else f" ({percent(weight)} of the time)")
        for threshold, weight in rule.thresholds
    )
    lot = f"; {percent(rule.lot)} by lot, acted on in {percent(rule.lot_acts)}" if rule.lot > 0 else ""
    own = "" if rule.own else " (too few rows: the model's own)"
    return f"{rule.group}: acted on from {told}{lot}{own}."


def _rate(rate: Measure | None) -> str:
    if rate is None:
        return "too few"
    if rate.low is None or rate.high is None:
        return percent(rate.value)
    low, high = (percent(bound).removesuffix(" %") for bound in (rate.low, rate.high))
    return f"{percent(rate.value).replace(' %', '%')} ({low}{DASH}{high})"
