"""Compare two versions: data, features, code, parameters, metrics on the same rows, and whom they answer otherwise.

Versions are late@3, or 3 where there is one model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.records import Measure
from drivetrain.loop.diff.said import Cause, Data, MetricDifference, Predictions, VersionDiff
from drivetrain.loop.making import Change
from drivetrain.loop.project import Project

_SHOWN = 8


def command(
    before: Annotated[str, typer.Argument(metavar="A", help="The first version: late@3, or 3.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The version to compare it with.")],
    *,
    model: Annotated[str | None, typer.Option(help="Which model, where the names do not say.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Compares two versions; changes nothing."""
    with plain_errors(as_json=json):
        found = Project.load(project).diff(before, after, model)
        if json:
            show_json(found)
        else:
            _show(found)


def _show(found: VersionDiff) -> None:
    out.print(
        f"[bold]{escape(found.model)} v{found.before} → v{found.after}[/]  "
        f"[dim]{found.made[0][:16]}Z, {found.made[1][:16]}Z[/]"
    )
    _heading("data")
    _data(found.data)
    _changes("features", found.features, "The same features, made alike.")
    _heading("code")
    _code(found)
    _changes("configuration", found.configuration, "Fitted alike.")
    _changes("parameters", found.parameters, "The same parameters.")
    _changes("environment", found.environment, "The same packages on the same machine.")
    _metrics(found)
    _predictions(found.predictions)


def _heading(words: str) -> None:
    out.print(f"\n[bold]{words}[/]")


def _data(data: Data) -> None:
    spans = [f"{one[:10]} to {other[:10]}" for one, other in data.window]
    wrapped(f"fitted on {data.rows[0]:,} rows of {spans[0]} → {data.rows[1]:,} rows of {spans[1]}", indent=2, hang=2)
    for table in data.tables:
        if table.same:
            wrapped(f"{table.table}@{table.after}: the same, {table.rows_after or 0:,} rows", indent=2, style="dim")
            continue
        names = [f"@{number} ({rows or 0:,} rows)" if number is not None else "not used" for number, rows in (
            (table.before, table.rows_before), (table.after, table.rows_after))]  # fmt: skip
        wrapped(f"{table.table}{' → '.join(names)}", indent=2, hang=2)
        for one in table.moved[:_SHOWN]:
            wrapped(one.words, indent=4, hang=2, style="yellow")
        if len(table.moved) > _SHOWN:
            wrapped(f"and {len(table.moved) - _SHOWN} more columns", indent=4, style="dim")
        if table.note:
            wrapped(f"columns could not be compared: {table.note}", indent=4, hang=2, style="dim")


def _changes(words: str, changes: Sequence[Change], none: str) -> None:
    _heading(words)
    if not changes:
        wrapped(none, indent=2, style="dim")
    for change in changes:
        if change.before is None:
            wrapped(f"+ {change.name}: {change.after}", indent=2, hang=4, style="green")
        elif change.after is None:
            wrapped(f"− {change.name}: {change.before}", indent=2, hang=4, style="red")
        else:
            wrapped(f"~ {change.name}: {change.before} → {change.after}", indent=2, hang=4, style="yellow")


def _code(found: VersionDiff) -> None:
    code = found.code
    told = [
        f"{commit[:12] if commit else 'no commit'}{' with changes' if dirty else ''}"
        for commit, dirty in zip(code.commit, code.dirty, strict=True)
    ]
    wrapped(f"commit {told[0]} → {told[1]}" if told[0] != told[1] else f"commit {told[0]}, both", indent=2)
    changed = ", ".join(change.name for change in code.definitions)
    if not code.note:
        wrapped(f"other definitions: {changed}" if changed else "every definition is the same", indent=2, hang=2)
    else:
        wrapped(code.note, indent=2, hang=2, style="dim")


def _metrics(found: VersionDiff) -> None:
    metrics = found.metrics
    where = ""
    if metrics.window is not None:
        where = f"  [dim]on the same {metrics.rows:,} rows, {metrics.window[0][:10]} to {metrics.window[1][:10]}[/]"
    _heading(f"metrics{where}")
    if metrics.note:
        wrapped(f"As each was judged, on its own rows. {metrics.note}", indent=2, style="dim")
    table = Table(box=None, padding=(0, 1, 0, 1), show_header=True, header_style="dim")
    for heading in ("", f"v{found.before}", f"v{found.after}", "better by"):
        table.add_column(heading, no_wrap=True)
    for one in metrics.metrics:
        pair = one.on_same or (one.before, one.after)
        table.add_row(one.metric.replace("_", " "), _measure(pair[0]), _measure(pair[1]), _gain(one))
    out.print(table)


def _gain(one: MetricDifference) -> str:
    if one.paired is None:
        return ""
    text = f"{one.paired.value:+.3f}"
    if one.paired.low is not None and one.paired.high is not None:
        text += escape(f" [{one.paired.low:+.3f}, {one.paired.high:+.3f}]")
    if not one.sure:
        return f"[dim]{text}[/]"
    return f"[{'green' if one.paired.value > 0 else 'red'}]{text}[/]"


def _measure(measure: Measure | None) -> str:
    if measure is None:
        return "–"
    bounds = "" if measure.low is None or measure.high is None else f" [{measure.low:.3f}, {measure.high:.3f}]"
    return escape(f"{measure.value:.3f}{bounds}")


def _predictions(found: Predictions) -> None:
    _heading("predictions")
    if found.note:
        wrapped(found.note, indent=2, hang=2, style="dim")
    if found.mean is None:
        return
    of = "that neither learned from" if found.of == "unseen" else "that one of them learned from"
    wrapped(f"{found.rows:,} rows {of}: mean {found.mean[0]:.3f} → {found.mean[1]:.3f}", indent=2, hang=2)
    parts = [f"{float(share):.0%} by at most {size:.3f}" for share, size in found.quantiles.items()]
    wrapped(f"answers moved by {found.size:.3f} in the mean: {', '.join(parts)}", indent=2, hang=2)
    wrapped(f"{found.crossed[0]:,} rose above one half, {found.crossed[1]:,} fell below it", indent=2)
    if found.causes:
        wrapped(
            f"because of ({found.unit}, mean of {found.explained:,} rows): {_sizes(found.causes)}", indent=2, hang=4
        )
    for piece in found.slices[:_SHOWN]:
        why = f"; {_causes(piece.causes[:2])}" if piece.causes else ""
        wrapped(
            f"{piece.column} {piece.value}: {piece.mean:+.3f}, by {piece.size:.3f} in size, {piece.rows:,} rows{why}",
            indent=2,
            hang=4,
        )
    for row in found.changed[:_SHOWN]:
        label = "" if row.label is None else f", came {row.label:g}"
        wrapped(f"{row.entity} at {row.at}: {row.before:.3f} → {row.after:.3f}{label}", indent=2, style="bold")
        for cause in row.causes[:3]:
            wrapped(f"{cause.feature}{_values(cause)}: {cause.difference:+.3f}", indent=6, hang=2)


def _causes(causes: Sequence[Cause]) -> str:
    return ", ".join(f"{cause.feature} {cause.difference:+.3f}" for cause in causes)


def _sizes(causes: Sequence[Cause]) -> str:
    return ", ".join(f"{cause.feature} ±{cause.size:.3f}" for cause in causes)


def _values(cause: Cause) -> str:
    if cause.values is None:
        return ""
    before, after = cause.values
    return f" = {_value(after)}" if before == after else f" = {_value(before)} → {_value(after)}"


def _value(value: object) -> str:
    return "unknown" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
