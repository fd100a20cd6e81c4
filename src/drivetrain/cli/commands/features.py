"""Show every feature: what it is, whose, how fresh, who uses it, and what its values look like."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import listed, width, wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.features.inherit import FeatureInfo
from drivetrain.features.sketch import BINS, Sketch
from drivetrain.loop.features import GroupInfo
from drivetrain.loop.project import Project

BARS = "▁▂▃▄▅▆▇█"
HEADING = "values: median, 5% to 95%"
QUANTILES = {
    "0.0": "least",
    "0.05": "5%",
    "0.25": "25%",
    "0.5": "median",
    "0.75": "75%",
    "0.95": "95%",
    "1.0": "most",
}


def command(
    view: Annotated[
        str | None, typer.Argument(help="A feature view, or a function of the request, to show in detail.")
    ] = None,
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Reads catalog, tables and online store; changes nothing."""
    with plain_errors(as_json=json):
        found = Project.load(project).features(view)
        if json:
            show_json(found)
            return
        for number, group in enumerate(found):
            if number:
                out.print()
            _show(group, detailed=view is not None)
        if not found:
            out.print("No feature is declared yet. Declare a view with project.feature_view(…).")


def _show(group: GroupInfo, *, detailed: bool) -> None:
    about = f"of {group.entity}, from {group.source}" if group.source else f"of {group.entity}"
    out.print(f"[bold]{escape(group.name)}[/]  {escape(about)}")
    if group.description:
        wrapped(group.description, indent=2)
    keyed = "keyed by" if group.source else "reads"
    facts = [
        f"{keyed} {', '.join(group.keys) or 'nothing'} ({group.key_privacy})",
        *([f"values lapse after {group.ttl}"] if group.ttl else []),
        f"used by {', '.join(group.used_by) or 'no model'}",
        f"owner {group.owner or 'unknown'}",
    ]
    listed(facts, indent=2)
    if group.source:
        wrapped(_freshness(group), indent=2, style="" if group.online and not group.online.behind else "yellow")
    out.print()
    widest = max([len(_short(one)) for one in group.features], default=0)
    told = [_values(one.values) for one in group.features]
    room = max(min(width() - widest - 22, max([len(HEADING), *map(len, told)])), BINS)
    out.print(f"  [dim]{'feature':<{widest}}  {HEADING:<{room}}  empty  privacy[/]")
    for number, (one, values) in enumerate(zip(group.features, told, strict=True)):
        if number and detailed:
            out.print()
        cut = values if len(values) <= room else values[: room - 1] + "…"
        empty = f"{one.values.null_share:.0%}" if one.values else "–"
        out.print(
            f"  [bold]{escape(f'{_short(one):<{widest}}')}[/]  {escape(f'{cut:<{room}}')}  {empty:>5}  {one.privacy}"
        )
        wrapped(one.words, indent=6, style="dim")
        if detailed:
            _detail(one)
    if group.values_from:
        out.print()
        wrapped(f"values of {group.values_from}", indent=2, style="dim")


def _detail(one: FeatureInfo) -> None:
    if one.description:
        wrapped(one.description, indent=6)
    listed(
        [f"reads {', '.join(one.reads) or 'no column but keys and times'}", f"owner {one.owner or 'unknown'}"], indent=6
    )
    if one.values and one.values.quantiles:
        wrapped(" · ".join(f"{QUANTILES[at]} {_figure(value)}" for at, value in one.values.quantiles.items()), indent=6)
    if one.values and one.values.distinct is not None:
        wrapped(f"{one.values.distinct:,} different values", indent=6)


def _freshness(group: GroupInfo) -> str:
    online = group.online
    if online is None:
        return "online: never filled. To fill it: drivetrain run --only data"
    newest = f"newest row known {online.newest}" if online.newest else "rows that hold always"
    late = f"; {online.behind:,} rows wait to come in" if online.behind else ""
    return f"online: {online.entities:,} entities, {newest}, filled {online.materialised} from {online.table}{late}"


def _values(sketch: Sketch | None) -> str:
    """Values in a line: a small histogram with figures, or the most frequent categories."""
    if sketch is None:
        return "not known yet"
    if sketch.masked:
        return f"{_bars(sketch.shape)}masked" if sketch.shape else "masked"
    if sketch.quantiles:
        low, half, high = (_figure(sketch.quantiles[at]) for at in ("0.05", "0.5", "0.95"))
        return f"{_bars(sketch.shape)}{half}, {low} to {high}"
    if sketch.top:
        told = ", ".join(f"{value} {share:.0%}" for value, share in sketch.top)
        return told if (sketch.distinct or 0) <= len(sketch.top) else f"{told}, …"
    return "all empty"


def _bars(shape: tuple[float, ...]) -> str:
    top = max(shape)
    bars = "".join(" " if not share else BARS[round(share / top * (len(BARS) - 1))] for share in shape)
    return f"{bars:<{BINS}}  "


def _figure(value: float) -> str:
    if abs(value) >= 10_000_000:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _short(one: FeatureInfo) -> str:
    return one.name.partition(".")[2]
