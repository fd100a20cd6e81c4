"""How everything stands, read from the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivetrain.core.clock import iso, now
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import (
    Alert,
    Alias,
    AliasName,
    DataReport,
    Decision,
    Measure,
    ModelVersion,
    MonitorReport,
    Policy,
    TableVersion,
)
from drivetrain.data.judge import stale
from drivetrain.evaluate.metrics import AT_RATE
from drivetrain.loop.alerting.alerts import Alerts
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.keys import check_signed
from drivetrain.loop.report import course
from drivetrain.loop.routing import in_words
from drivetrain.monitor.reporting.account import metric_of_windows
from drivetrain.monitor.tables.spec import DataMonitor

RECENT = 8
WINDOWS = 60
"""The newest windows of an endpoint that status tells of."""


def status(project: Definitions) -> dict[str, Any]:
    """Tables, endpoints, alerts and the latest decisions."""
    catalog = project.store.catalog
    alerts = [one for one in catalog.find(Alert) if one.shown]
    desk = Alerts(project)
    return {
        "project": project.name,
        "objective": project.objective,
        "tables": [_table(project, name) for name in project.sources],
        "watched": [_watched(project, one) for one in project.watched.values()],
        "endpoints": [_endpoint(project, endpoint) for endpoint in project.endpoints.values()],
        "alerts_open": sum(alert.state == "open" for alert in alerts),
        "alerts_total": len(alerts),
        "alerts": [_alert(one) for one in desk.list()],
        "alert_quality": desk.quality(),
        "silences": desk.silences(),
        "sinks": desk.sinks(),
        "decisions": [
            {"at": iso(decision.at), "about": decision.about, "what": decision.what, "because": decision.because}
            for decision in catalog.find(Decision, limit=RECENT)
        ],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "endpoint": alert.endpoint,
        "rule": alert.rule,
        "severity": alert.severity,
        "message": alert.message,
        "since": iso(alert.since or alert.at),
        "cause": alert.cause,
        "runbook": alert.runbook,
        "commands": list(alert.commands),
        "silenced": bool(alert.silence) and not alert.peak,
        "acknowledged": None if alert.acknowledged is None else iso(alert.acknowledged),
    }


def _table(project: Definitions, name: str) -> dict[str, Any]:
    versions = project.store.catalog.find(TableVersion, name)
    old = stale(project.sources[name].contract, versions[0] if versions else None, now())
    freshness = {"stale": str(old)} if old else {}
    if not versions:
        return {"table": name, "version": 0, "rows": 0, "quarantined": 0, "last_event": "never ingested"} | freshness
    last = versions[0]
    return freshness | {
        "table": name,
        "version": last.version,
        "rows": last.rows,
        "quarantined": sum(version.quarantined for version in versions),
        "last_event": iso(last.last_event) if last.last_event else "–",
    }


def _watched(project: Definitions, monitor: DataMonitor) -> dict[str, Any]:
    """The newest window of a table or view that is watched without an endpoint."""
    last = next(iter(project.store.catalog.find(DataReport, monitor.watched, limit=1)), None)
    if last is None:
        words = "no window has been looked at yet"
    elif last.missing or last.volume is None:
        words = last.missing or "could not be looked at"
    else:
        unit = "entities with events" if monitor.of_features else "rows"
        usual = "" if last.volume.middle is None else f" ({last.volume.middle:,.0f} is usual)"
        drifted = sum(one.drifted for one in last.drift)
        words = f"{last.volume.value:,.0f} {unit}{usual}, {drifted} of {len(last.drift)} columns drifted"
    window = "" if last is None else f"{iso(last.since)[:10]} to {iso(last.until)[:10]}"
    return {"watched": monitor.watched, "window": window, "words": words, "notes": list(last.notes) if last else []}


def _endpoint(project: Definitions, endpoint: Endpoint) -> dict[str, Any]:
    catalog = project.store.catalog
    aliases = {alias.alias: alias.version for alias in catalog.find(Alias, endpoint.model.name)}
    champion = aliases.get("champion")
    version = catalog.get(ModelVersion, f"{endpoint.model.name}@{champion}") if champion else None
    policy = catalog.get(Policy, endpoint.name)
    windows = catalog.find(MonitorReport, endpoint.name, limit=WINDOWS)[::-1]
    report = windows[-1] if windows else None
    metric = metric_of_windows(project.metric, windows)
    lines = [f"{alias}: v{number}" for alias, number in aliases.items() if number]
    lines += _refused(project, endpoint, aliases)
    lines += [
        f"v{one.version} waits: {' '.join(one.gates.refusals)} To give it: drivetrain approve {one.key} --because …"
        for one in catalog.find(ModelVersion, endpoint.model.name)
        if one.gates.waits and one.version not in aliases.values()
    ]
    words = "answers with its champion" if version else "has no champion yet: nothing is served"
    if policy is not None and policy.arms:
        words = "answers by its policy" if version else words
        lines.append(in_words(policy))
    if report is not None:
        lines.append(
            f"{iso(report.since)[:10]} to {iso(report.until)[:10]}: {report.predictions:,} predictions, "
            f"{report.label_share:.0%} labelled, {sum(drift.drifted for drift in report.drift)} features drifted"
        )
        lines += [f"{name} {show_measure(measure)}" for name, measure in report.performance.items()]
        lines += foreseen(report)
    return {
        "endpoint": endpoint.name,
        "model": endpoint.model.name,
        "words": words,
        "versions": aliases,
        "lines": lines,
        "metric": metric,
        "windows": course(windows, metric),
    }


def foreseen(report: MonitorReport) -> list[str]:
    """What a report says beyond labels that have come: estimates, how complete labels are, and why it is worse."""
    lines: list[str] = []
    told = report.estimation
    if told is not None:
        real = report.performance
        shown = {name: one for name, one in report.estimated.items() if (not real or name in real) and name != AT_RATE}
        lines += [f"{name} {show_measure(measure)} estimated without labels" for name, measure in shown.items()]
        lines += [told.refused] if told.refused else []
    ripe = report.maturity
    if ripe is not None:
        odd = [f"{ripe.overdue:,} labels are overdue"] if ripe.overdue else []
        odd += [f"{ripe.contradicted:,} predictions were told two labels"] if ripe.contradicted else []
        odd += [f"{ripe.early:,} labels were known before their prediction"] if ripe.early else []
        lines += [*odd, *([ripe.sooner] if ripe.sooner else [])]
    if report.why is not None:
        lines += [report.why.words, *report.why.upstream]
    return lines


def _refused(project: Definitions, endpoint: Endpoint, aliases: Mapping[AliasName, int | None]) -> list[str]:
    """Which of the versions that aliases name no server loads, and why."""
    said: list[str] = []
    for alias, number in aliases.items():
        version = project.store.catalog.get(ModelVersion, f"{endpoint.model.name}@{number}") if number else None
        try:
            if version is not None:
                check_signed(project, version)
        except DrivetrainError as error:
            said.append(f"{alias} v{number} is not loaded: {error}")
    return said


def show_measure(measure: Measure) -> str:
    """``0.451 [0.420, 0.480]``."""
    if measure.low is None or measure.high is None:
        return f"{measure.value:.3f}"
    return f"{measure.value:.3f} [{measure.low:.3f}, {measure.high:.3f}]"
