"""What a broken rule on a table or view means, where it comes from, and the commands that show more."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import Alert, DataReport
from drivetrain.loop.alerting.opened import cause_of
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.lifecycle import Settlement, Told
from drivetrain.monitor.alerting.words import commands_of, meaning_of_data
from drivetrain.monitor.tables.spec import DataMonitor


def explained(project: Definitions, monitor: DataMonitor, report: DataReport, settled: Settlement) -> Settlement:
    """The same, with each broken rule's meaning, probable cause and the commands that show more."""
    own = {rule.name: rule.meaning for rule in monitor.rules}
    readers = _readers(project, monitor)
    known: dict[str, Alert] = {}
    for alert in settled.changed:
        known[alert.id] = alert
        if alert.report == report.ref and alert.state in {"open", "pending"}:
            known[alert.id] = msgspec.structs.replace(
                alert,
                meaning=meaning_of_data(alert.rule, readers, own.get(alert.rule, "")),
                cause=_cause(project, monitor, report) if monitor.of_features else "",
                commands=(*commands_of(alert, report.since, report.until), *_commands(monitor)),
            )
    return Settlement(
        tuple(known.values()),
        tuple(Told(known[one.alert.id], one.event) for one in settled.told),
        tuple(Told(known[one.alert.id], one.event) for one in settled.silenced),
    )


def _cause(project: Definitions, monitor: DataMonitor, report: DataReport) -> str:
    return cause_of(project.store.catalog, monitor.table, report.since, report.until)


def _readers(project: Definitions, monitor: DataMonitor) -> list[str]:
    """Endpoints whose models read the table, or the view."""
    return [
        endpoint.name
        for endpoint in project.endpoints.values()
        for views in [[view for view in endpoint.model.views if view.source.name == monitor.table]]
        if (monitor.of_features and any(view.name == monitor.name for view in views))
        or (not monitor.of_features and (views or endpoint.model.label.source.name == monitor.table))
    ]


def _commands(monitor: DataMonitor) -> tuple[str, ...]:
    return (f"drivetrain features {monitor.name}",) if monitor.of_features else (f"drivetrain data {monitor.name}",)
