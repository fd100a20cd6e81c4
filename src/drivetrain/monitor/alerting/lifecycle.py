"""Findings become alerts: one a rule and endpoint, told once, worse told again, over when windows keep the rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.ids import derived_id
from drivetrain.core.records import SEVERITIES, Alert, Severity, Silence
from drivetrain.monitor.alerting.reading import Report
from drivetrain.monitor.alerting.rule import Standing, Terms
from drivetrain.monitor.finding import Finding

Event: TypeAlias = Literal["opened", "worse", "resolved", "still open"]


class Told(msgspec.Struct, frozen=True):
    """An alert, and what people hear of it."""

    alert: Alert
    event: Event


class Rules(msgspec.Struct, frozen=True):
    """What the life of alerts needs to know of a monitor's rules.

    Attributes:
        terms: Rule → for how long it must be broken, and kept.
        standing: Rule → how it stands in the window, where that does not break it. One that nobody asks for any more
            is kept.
    """

    terms: Callable[[str], Terms]
    standing: Callable[[str], Standing]


class Settlement(msgspec.Struct, frozen=True):
    """What a window changes among an endpoint's alerts.

    Attributes:
        changed: Every alert to keep.
        told: What people hear of: what opened, rose or ended, unless a silence holds. An alert that goes on is not
            repeated.
        silenced: What they would have heard, had no silence held.
    """

    changed: tuple[Alert, ...] = ()
    told: tuple[Told, ...] = ()
    silenced: tuple[Told, ...] = ()


def settle(
    findings: Sequence[Finding],
    alerts: Sequence[Alert],
    report: Report,
    rules: Rules,
    *,
    silences: Sequence[Silence] = (),
    now: Micros,
    told: Micros | None = None,
) -> Settlement:
    """Compares a window's findings with the alerts that are there.

    The same window settled again gives alerts with the same ids, so that a watch killed in between repeats nothing.

    Args:
        findings: What the window's rules found.
        alerts: The endpoint's alerts, resolved ones among them or not.
        report: The window. Time is counted in windows, never by a clock: one that jumps opens and ends nothing.
        rules: The monitor's rules.
        silences: Those that may hold.
        now: The moment alerts open and resolve at.
        told: The moment people hear of it; ``now`` by default.
    """
    standing = {
        alert.rule: alert
        for alert in alerts
        if alert.state in {"open", "pending"} and alert.endpoint == report.endpoint
    }
    changed: list[Alert] = []
    said: list[Told] = []
    unsaid: list[Told] = []
    moment = now if told is None else told
    for finding in findings:
        after, event = _broken(finding, standing.pop(finding.rule, None), report, rules.terms(finding.rule), now=now)
        if event is not None:
            holding = silenced_by(silences, report.endpoint, finding.rule, moment)
            if holding is None:
                after = msgspec.structs.replace(after, peak=after.severity, told=after.told or moment, silence="")
                said.append(Told(after, event))
            else:
                after = msgspec.structs.replace(after, silence=holding.id)
                unsaid.append(Told(after, event))
        changed.append(after)
    for rule, alert in standing.items():
        unbroken = _unbroken(alert, rules.standing(rule), rules.terms(rule), report.until, now=now)
        if unbroken is None:
            continue
        changed.append(unbroken)
        if unbroken.state == "resolved" and unbroken.peak:  # the end of what was told is told, silence or not
            said.append(Told(unbroken, "resolved"))
    return Settlement(tuple(changed), tuple(said), tuple(unsaid))


def silenced_by(silences: Sequence[Silence], endpoint: str, rule: str, now: Micros) -> Silence | None:
    """The silence that holds on a rule, the one that lasts longest where there are several."""
    holding = [one for one in silences if one.holds(now) and one.covers(endpoint, rule)]
    return max(holding, key=lambda one: one.until, default=None)


def graver(severity: Severity, than: Severity | Literal[""]) -> bool:
    """Whether a severity is above another; any is above none."""
    return not than or SEVERITIES.index(severity) > SEVERITIES.index(than)


def _broken(
    finding: Finding, before: Alert | None, report: Report, asked: Terms, *, now: Micros
) -> tuple[Alert, Event | None]:
    """The alert after a window that broke its rule, and what there is to say."""
    length = report.until - report.since
    alert = before or Alert(
        at=now,
        id=derived_id(report.key, finding.rule),
        endpoint=report.endpoint,
        rule=finding.rule,
        message="",
        state="pending",
        since=report.since,
        window=length,
        windows=0,
    )
    alert = msgspec.structs.replace(
        alert,
        severity=finding.severity,
        message=finding.message,
        evidence=msgspec.json.encode(finding.evidence).decode(),
        report=report.ref,
        runbook=asked.runbook,
        calm=0,
        kept=0,
    )
    if alert.state == "open":
        return alert, "worse" if alert.peak and graver(alert.severity, alert.peak) else None
    if before is None or before.report != report.ref:  # a window that is looked at again counts once
        alert = msgspec.structs.replace(alert, broken=alert.broken + length, windows=alert.windows + 1)
    if not asked.met(alert.broken, alert.windows):
        return alert, None
    return msgspec.structs.replace(alert, state="open", at=now), "opened"


def _unbroken(alert: Alert, stands: Standing, asked: Terms, until: Micros, *, now: Micros) -> Alert | None:
    """The alert after a window that did not break its rule; none where nothing is changed.

    A window that is looked at again counts once.
    """
    if stands == "unknown":
        return None
    if alert.state == "pending":
        return msgspec.structs.replace(alert, state="passed", resolved=now)
    if stands == "between":
        return msgspec.structs.replace(alert, calm=0, kept=0) if alert.calm else None
    calm = alert.calm + (until > alert.kept)
    if calm >= asked.calm:
        return msgspec.structs.replace(alert, state="resolved", resolved=now, calm=calm, kept=until)
    return msgspec.structs.replace(alert, calm=calm, kept=until) if calm > alert.calm else None
