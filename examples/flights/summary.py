"""What happened on the road, for whoever ran it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from drivetrain.core.clock import datetime_of, iso
from drivetrain.core.records import (
    Alert,
    Evaluation,
    ModelVersion,
    MonitorReport,
    Replay,
    TableVersion,
)
from drivetrain.data import quarantine
from drivetrain.loop.project import Project
from drivetrain.loop.status import show_measure
from drivetrain.monitor.reporting.story import Story
from drivetrain.registry.register import versions
from drivetrain.serve.log.columns import predictions_table

METRICS = {"average_precision": "average precision", "roc_auc": "ROC AUC"}
SHORT = {
    "drift": "drift",
    "estimated": "estimated",
    "real": "on labels",
    "also": "also",
    "cause": "cause",
    "retrain": "retrained",
    "shadow": "shadow",
    "end": "decided",
}
BARS = "▁▂▃▄▅▆▇█"
out = Console(highlight=False)


def show_summary(project: Project, *, seconds: float) -> None:
    """Prints everything worth knowing, from raw rows to the last decision."""
    out.print()
    out.rule("[bold]what happened[/]")
    for title, body in sections(project):
        out.print(Panel(body, title=title, title_align="left", border_style="dim", padding=(0, 1)))
    serve, web = project.settings.serve, project.settings.web
    page = project.folder / project.settings.store.root / "report.html"
    project.report("late", output=page)
    out.print(f"\n[bold]dashboard[/]  http://{web.host}:{web.port}")
    out.print(f"[bold]timeline[/]   http://{web.host}:{web.port}/timeline/late")
    out.print(f"[bold]report[/]     {page}", soft_wrap=True)
    out.print(f"[bold]endpoint[/]   http://{serve.host}:{serve.port}/v1/endpoints/late/predict")
    out.print(f"\n[dim]the whole road took {seconds:.0f} s[/]")


def sections(project: Project) -> Iterator[tuple[str, Any]]:
    """Title and body of each part that has something to tell."""
    yield "what came in", came_in(project)
    registered = versions(project.store, "late")
    if registered:
        yield "how good the first model was", quality(project, registered[-1])
    replays = project.store.catalog.find(Replay, "late")
    if replays:
        yield "what the replay saw", replayed(project, replays[0])
        yield "the same values everywhere", same_values(project)
    alerts = [alert for alert in project.store.catalog.find(Alert, "late") if alert.severity != "info"]
    if alerts:
        yield "the first alerts", alerted(alerts)
    yield "what was decided, and why", chapters(project.story("late"))
    if (traced := one_trace(project)) is not None:
        yield "one prediction, traced", traced


def came_in(project: Project) -> Table:
    """Rows and quarantined rows by table."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("quarantined", justify="right")
    table.add_column("why")
    for name in project.sources:
        last = next(iter(project.store.catalog.find(TableVersion, name, limit=1)), None)
        refused = quarantine.table_name(name)
        aside = project.store.tables.rows(refused) if project.store.tables.version(refused) is not None else 0
        reasons = quarantine.summary(project.store.tables, name)
        table.add_row(
            name,
            f"{last.rows:,}" if last else "–",
            f"{aside:,}",
            Text("; ".join(f"{reason} ({count:,})" for reason, count in list(reasons.items())[:2]), style="dim"),
        )
    return table


def quality(project: Project, version: ModelVersion) -> Group:
    """The first version beside its baselines, with intervals."""
    evaluation = project.store.catalog.get(Evaluation, version.run_id)
    if evaluation is None:
        return Group("no evaluation on record")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(f"{iso(evaluation.since)[:10]} to {iso(evaluation.until)[:10]}, {evaluation.rows:,} flights")
    for title in METRICS.values():
        table.add_column(title)
    table.add_row(
        f"[bold]late v{version.version}[/]", *(f"[bold]{show_measure(evaluation.metrics[name])}[/]" for name in METRICS)
    )
    for name, metrics in evaluation.baselines.items():
        table.add_row(name, *(show_measure(metrics[metric]) for metric in METRICS))
    words = Text(f"95 % intervals from {evaluation.replicates} resamples of whole days.", style="dim")
    verdict = "every gate passed" if version.gates.passed else " ".join(version.gates.refusals)
    return Group(table, words, Text(f"Gates: {verdict}."))


def replayed(project: Project, replay: Replay) -> Group:
    """Traffic, speed, and how performance went week by week."""
    reports = sorted(project.store.catalog.find(MonitorReport, "late"), key=lambda report: report.since)
    lines = [
        Text(
            f"{iso(replay.since)[:10]} to {iso(replay.done)[:10]}: {replay.instances:,} predictions in "
            f"{replay.requests:,} requests over HTTP, {replay.labels:,} labels as flights landed; "
            f"{replay.seconds:.0f} s."
        )
    ]
    for name, title in METRICS.items():
        values = [report.performance[name].value for report in reports if name in report.performance]
        if values:
            lines.append(
                Text(f"{title:18} week by week  {spark(values)}  {min(values):.2f} to {max(values):.2f}", style="cyan")
            )
    if reports:
        middle = sorted(report.latency_p50_us for report in reports)[len(reports) // 2]
        worst = max(report.latency_p99_us for report in reports)
        flights = replay.instances / max(replay.requests, 1)
        lines.append(
            Text(
                f"calls of {flights:.0f} flights, as fast as they come: answered in {middle / 1000:.1f} ms (median), "
                f"{worst / 1000:.0f} ms (99 % in the worst week)"
            )
        )
    return Group(*lines)


def same_values(project: Project) -> Text:
    """Whether what was served is what the training set holds for the same moments."""
    found = project.skew("late")
    compared = f"{found['values']:,} logged feature values of {found['predictions']:,} predictions, recomputed offline"
    wrong = sum(mismatch["count"] for mismatch in found["mismatches"].values())
    return Text(f"{compared}: {f'{wrong:,} differ' if wrong else 'none differs'}.", style="red" if wrong else "")


def spark(values: list[float]) -> str:
    """A line of bars, lowest to highest."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(BARS[min(int((value - low) / span * len(BARS)), len(BARS) - 1)] for value in values)


def alerted(alerts: list[Alert]) -> Group:
    """The first alerts in their own words, and how many there were."""
    ordered = sorted(alerts, key=lambda alert: alert.at)
    first = [alert for alert in ordered if alert.rule.startswith("drift")][:1]
    first += [alert for alert in ordered if not alert.rule.startswith("drift")][:2]
    lines = [Text.assemble((f"{iso(alert.at)[:10]} ", "dim"), alert.message) for alert in first]
    still_open = sum(alert.state == "open" for alert in alerts)
    return Group(*lines, Text(f"{len(alerts)} alerts in all, {still_open} still open.", style="dim"))


def chapters(story: Story) -> Group:
    """Each chapter: its days, what began it and what came of it, then its steps; what did not happen is dim."""
    tones = {"good": "green", "bad": "red", "watch": "yellow", "step": "cyan"}
    parts: list[Any] = []
    for chapter in story.chapters:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        table.add_column(width=9, no_wrap=True)
        table.add_column(width=6, no_wrap=True)
        table.add_column(overflow="fold")
        for step in chapter.steps:
            when = "" if step.at is None else f"{datetime_of(step.at):%d %b}"
            words = Text(step.words, style="" if step.happened else "dim")
            table.add_row(Text(SHORT[step.kind], style="dim"), Text(when, style="dim"), words)
        title = Text.assemble(
            (f"{chapter.number}. {chapter.title}", f"bold {tones[chapter.tone]}"), (f"  {chapter.when}", "dim")
        )
        parts += [title, table]
    return Group(*(parts or [Text("nothing yet")]))


def one_trace(project: Project) -> Group | None:
    """The surest warning of the last days, followed back to its tables and on to its label."""
    table = predictions_table("late")
    if project.store.tables.version(table) is None:
        return None
    surest = (
        project.store.tables.scan(table)
        .filter(pl.col("role") == "champion", pl.col("at") > pl.col("at").max() - pl.duration(days=5))
        .filter(pl.col("at") < pl.col("at").max() - pl.duration(days=2))
        .sort("prediction", descending=True)
        .select("request_id", "row")
        .head(1)
        .collect()
    )
    if surest.is_empty():
        return None
    found = "{}/{}".format(*surest.row(0))
    chain = project.trace(found)
    said, came = chain["prediction"], chain["feedback"]
    known = [feature for feature in chain["features"] if feature["value"] is not None][:40]
    freshest = sorted((item for item in known if item["age_seconds"] is not None), key=lambda item: item["age_seconds"])
    values = ", ".join(
        f"{item['name']} = {item['value']:.4g} ({item['age_seconds'] / 60:.0f} min old)"
        for item in freshest[:3]
        if isinstance(item["value"], float)
    )
    outcome = "no label yet" if came is None else ("it was late" if came["label"] else "it was on time")
    return Group(
        Text(f"drivetrain trace {found}", style="bold"),
        Text(f"{said['entity']}: {said['prediction']:.0%} likely to be late, said {iso(said['at'])}; {outcome}."),
        Text(f"from {values}, …"),
        Text(
            f"by {chain['version']['version']}, run {chain['training']['run'][:8]}, trained on flights "
            f"{chain['training']['from'][:10]} to {chain['training']['until'][:10]}"
        ),
        Text(f"out of {', '.join(table['table'] for table in chain['tables'])}", style="dim"),
    )
