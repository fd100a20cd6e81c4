"""Findings become alerts: one open alert a rule, until a window keeps the rule again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Alert, MonitorReport
from drivetrain.monitor.finding import SEVERITIES, Finding
from drivetrain.monitor.spec import Monitor


class Settlement(msgspec.Struct, frozen=True):
    """What a window changes among an endpoint's alerts; every one of them is to be kept in the catalog.

    Attributes:
        opened: New alerts.
        escalated: Open ones whose severity rose.
        kept: Open ones whose rule is still broken, with this window's words and evidence.
        resolved: Open ones whose rule this window kept.
    """

    opened: tuple[Alert, ...] = ()
    escalated: tuple[Alert, ...] = ()
    kept: tuple[Alert, ...] = ()
    resolved: tuple[Alert, ...] = ()

    @property
    def changed(self) -> tuple[Alert, ...]:
        """Everything to keep."""
        return (*self.opened, *self.escalated, *self.kept, *self.resolved)

    @property
    def told(self) -> tuple[Alert, ...]:
        """What people hear of: what opened, rose or ended; an alert that goes on is not repeated."""
        return (*self.opened, *self.escalated, *self.resolved)


def settle(
    findings: Sequence[Finding], alerts: Sequence[Alert], report: MonitorReport, monitor: Monitor, *, now: Micros
) -> Settlement:
    """Compares a window's findings with the alerts that are there.

    The same window settled again gives alerts with the same ids, so that a watch killed in between repeats nothing.

    Args:
        findings: What the window's rules found.
        alerts: The endpoint's alerts, resolved ones among them or not.
        report: The window.
        monitor: Its rules: one that could not be judged, for want of labels or rows, leaves its alert open.
        now: The moment alerts open and resolve at.
    """
    opened: list[Alert] = []
    escalated: list[Alert] = []
    kept: list[Alert] = []
    resolved: list[Alert] = []
    standing = {alert.rule: alert for alert in alerts if alert.state == "open" and alert.endpoint == report.endpoint}
    for finding in findings:
        before = standing.pop(finding.rule, None)
        if before is None:
            fresh = Alert(
                at=now,
                id=derived_id(report.key, finding.rule),
                endpoint=report.endpoint,
                rule=finding.rule,
                severity=finding.severity,
                message=finding.message,
                evidence=_text(finding),
                report=report.ref,
            )
            opened.append(fresh)
            continue
        after = msgspec.structs.replace(
            before,
            severity=finding.severity,
            message=finding.message,
            evidence=_text(finding),
            report=report.ref,
        )
        rose = SEVERITIES.index(finding.severity) > SEVERITIES.index(before.severity)
        (escalated if rose else kept).append(after)
    for rule, alert in standing.items():
        if judged(rule, report, monitor):
            resolved.append(msgspec.structs.replace(alert, state="resolved", resolved=now))
    return Settlement(tuple(opened), tuple(escalated), tuple(kept), tuple(resolved))


def judged(rule: str, report: MonitorReport, monitor: Monitor) -> bool:
    """Whether a window had what it takes to judge a rule; one the monitor no longer asks for counts as judged."""
    family, _, metric = rule.partition(".")
    if family in {"performance", "calibration"}:
        asked = monitor.performance
        name = metric if family == "performance" else "calibration_gap"
        if asked is None or (family == "performance" and name not in asked.drops):
            return True
        measure = report.performance.get(name)
        return report.labelled >= asked.min_labels and measure is not None and measure.low is not None
    if family == "estimated":
        asked, told = monitor.performance, report.estimation
        if asked is None or not asked.estimated or told is None:
            return asked is None or not asked.estimated
        return bool(told.gaps) if metric == "gap" else metric in report.estimated
    if family == "drift":
        return monitor.drift is None or report.output is not None
    return report.predictions > 0


def _text(finding: Finding) -> str:
    return msgspec.json.encode(finding.evidence).decode()
