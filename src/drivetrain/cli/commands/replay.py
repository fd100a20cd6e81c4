"""Play the declared traffic against the running endpoint, day after day in compressed time, labels arriving late."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.live import LiveProgress
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.loop.project import Project

_SHADES = "▁▂▃▄▅▆▇█"


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENDPOINT] [RULES…]",
            help="Which endpoint; not needed where there is one. With --compare, the sets of rules too.",
        ),
    ] = None,
    *,
    since: Annotated[str, typer.Option(help="First day.")],
    until: Annotated[str, typer.Option(help="The day after the last.")],
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Play by each set of rules in a copy of the project, and compare them."),
    ] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Goes on where a replay that was stopped left off.

    Rules are what the endpoint's monitor says: "declared" as it stands, "static" without training anew, and the names
    of its alternatives.
    """
    with plain_errors(as_json=json):
        loaded = Project.load(project)
        endpoint, rules = _told_apart(loaded, names or [], compare=compare)
        with LiveProgress() as live:
            summary = loaded.replay(endpoint, since=since, until=until, compare=rules, progress=live)
        if json:
            show_json(summary)
        elif rules:
            _show(summary)
        else:
            out.print(summary["words"])


def _told_apart(project: Project, names: list[str], *, compare: bool) -> tuple[str | None, list[str]]:
    """The endpoint, and the sets of rules, among what was named."""
    endpoint = names[0] if names and (not compare or names[0] in project.endpoints) else None
    rules = names[1:] if endpoint else names
    if rules and not compare:
        raise UsageError("a replay is of one endpoint", found=", ".join(names), do="To compare rules, say --compare")
    if compare and not rules:
        raise UsageError(
            "nothing to compare was named", expected="two or more sets of rules", do="Say: --compare static declared"
        )
    return endpoint, rules


def _show(told: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("", told["metric"].replace("_", " "), "by month"):
        table.add_column(title, no_wrap=True)
    for title in ("fits", "won", "time", "alerts"):
        table.add_column(title, justify="right")
    span = [value for row in told["table"] for value in row["months"].values()]
    for row in told["table"]:
        figure = row["figure"]
        shown = "–" if figure is None else _measure(figure)
        line = _line(list(row["months"].values()), span)
        if row["naive"]:
            table.add_row(row["name"], shown, line, "", "", "", "", style="dim")
        else:
            alerts = sum(count for severity, count in row["alerts"].items() if severity != "info")
            counts = (str(row["retrainings"]), str(row["promotions"]), f"{row['fit_seconds']:.0f} s", str(alerts))
            table.add_row(row["name"], shown, line, *counts)
    out.print(table)
    for why in [f"No row for {name}: {why}" for name, why in told["left_out"].items()]:
        out.print(f"[dim]{why}[/]")
    out.print(
        "[dim]fits: new versions; won: took the champion's place; time: of all fits; alerts: warnings and above[/]\n"
    )
    for sentence in told["words"]:
        out.print(sentence)
    share = f"{told['level']:.2%}"
    out.print(f"[dim]{told['rows']:,} labelled rows; days drawn whole; each difference with {share}, all with 95 %.[/]")


def _measure(figure: dict[str, Any]) -> str:
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]".replace("[", r"\[")


def _line(values: list[float], span: list[float]) -> str:
    low, high = min(span, default=0.0), max(span, default=0.0)
    return "".join(_SHADES[round((value - low) / ((high - low) or 1) * (len(_SHADES) - 1))] for value in values)
