"""Recompute logged feature values offline, as of each request; say what differs, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project
from drivetrain.loop.skew import shown

MOST_REASONS = 3
MEANING = {
    "late row": "rows came in after the answer, under an earlier time; the source was late",
    "not yet materialised": "the table had rows that the online store had not got yet; bring features up more often",
    "pushed only": "made with what was pushed, and what no row of the table has brought; does the source lack rows?",
    "missed push": "made with some rows before the table had them, and without others: a push of these never came",
    "changed definition": "served as it was declared then, computed as it is declared now; nothing is wrong",
    "asked too far back": "asked about a moment that online rows need not answer for",
    "not looked into": "too many different states to compute again; name a later --since",
    "unexplained": "nothing on record explains it: please look into it",
}


def command(
    endpoint: Annotated[str | None, typer.Argument(help="Which endpoint; not needed where there is one.")] = None,
    *,
    since: Annotated[str | None, typer.Option(help="Only predictions made for this moment or later.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Measures training/serving skew on the prediction log."""
    with plain_errors(as_json=json):
        found = Project.load(project).skew(endpoint, since=since)
        if json:
            show_json(found)
            return
        _show(found)
    if found["causes"].keys() - {"changed definition"}:
        raise typer.Exit(1)


def _show(found: dict[str, Any]) -> None:
    if not found["predictions"]:
        out.print("No prediction is on record for that time: there is nothing to compare.")
        return
    wrong = sum(found["causes"].values())
    wrapped(
        f"{found['predictions']:,} predictions, {found['values']:,} feature values compared: {wrong:,} "
        f"differ{'s' if wrong == 1 else ''}."
    )
    for change in found["changed"]:
        wrapped(f"! {change['words']} ({change['predictions']:,} predictions)", hang=2, style="yellow")
    if found["withheld"]:
        wrapped(
            f"! not compared, as the log does not keep what they are made of: {', '.join(found['withheld'])}",
            hang=2,
            style="yellow",
        )
    if not wrong:
        out.print("[green]✓[/] Every value is what the training set would hold: no skew.")
        return
    for name, mismatch in found["mismatches"].items():
        counts = ", ".join(f"{cause} {count:,}" for cause, count in mismatch["causes"].items())
        out.print(f"\n[bold]{escape(name)}[/]  {mismatch['count']:,} differ: {counts}")
        for example in mismatch["examples"]:
            wrapped(
                f"{_about(example)}, {example['at']}: served {shown(example['served'])}, "
                f"offline {shown(example['offline'])} ({example['cause']})",
                indent=2,
                hang=4,
            )
    out.print("\n[bold]why[/]")
    for cause, count in found["causes"].items():
        wrapped(
            f"{cause}, {count:,} value{'s' if count > 1 else ''}: {MEANING[cause]}", indent=2, hang=2, style="yellow"
        )
        for line in _reasons(found, cause):
            wrapped(line, indent=6, hang=2)


def _reasons(found: dict[str, Any], cause: str) -> list[str]:
    """What is known of some predictions that a cause was found for, each once."""
    examples = [one for mismatch in found["mismatches"].values() for one in mismatch["examples"]]
    reasons = {one["words"]: f"{_about(one)}: {one['words']}" for one in examples if one["cause"] == cause}
    return list(reasons.values())[:MOST_REASONS]


def _about(example: dict[str, Any]) -> str:
    return str(example["entity"] or example["prediction"])
