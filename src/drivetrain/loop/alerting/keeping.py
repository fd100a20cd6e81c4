"""A window and the alerts it changes, kept together: of two watchers that come to it, one tells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import Conflict
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Alert, Decision, Link, MonitorReport, Record, Silence
from drivetrain.loop.alerting.probable import probable_cause
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.lifecycle import Rules, Settlement, Told, settle
from drivetrain.monitor.alerting.outbox import queue
from drivetrain.monitor.alerting.reading import Report
from drivetrain.monitor.alerting.sinks.log import tell_log
from drivetrain.monitor.alerting.sinks.sink import Sink
from drivetrain.monitor.alerting.words import commands_of, meaning_of
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.rules import stands
from drivetrain.monitor.spec import Monitor

_TRIES = 20


class Again(NamedTuple):
    """A window that is looked at again, as more of its labels have come.

    Attributes:
        revision: That its report had when it was read.
        families: Families of rules that labels decide; alerts of others are left alone. All where it is none.
        now: The moment of the look.
        beside: What is kept in the same commit.
        expect: Ref → revision that what is kept beside was read at; where it has another, nothing is kept.
    """

    revision: int
    families: frozenset[str] | None
    now: Micros
    beside: Sequence[Record] = ()
    expect: Mapping[str, int] | None = None


def keep_window(
    project: Definitions,
    monitor: Monitor,
    report: MonitorReport,
    findings: Sequence[Finding],
    *,
    links: Sequence[Link] = (),
    example: Callable[[str], str] = lambda _: "",
    again: Again | None = None,
) -> list[Decision]:
    """Keeps a report, what it changes among the endpoint's alerts, and who is to hear of it, in one commit.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        report: The window.
        findings: What its rules found.
        links: Lineage of the report.
        example: Rule → a prediction that shows what is wrong.
        again: Of a window that was kept before and is looked at again.

    Returns:
        What was decided; nothing where another watcher has kept the window already.
    """
    keeping = Keeping(
        report=report,
        findings=findings,
        rules=Rules(monitor.terms_of, lambda rule: stands(rule, report, monitor)),
        sinks=monitor.sinks,
        explain=lambda settled: explained(project, monitor, report, settled, example),
        links=links,
        version=report.version,
    )
    return keep(project, keeping, again)


class Keeping(NamedTuple):
    """A window and all that is to be kept with it.

    Attributes:
        report: The window.
        findings: What its rules found.
        rules: The rules.
        sinks: Who is told.
        explain: Adds to alerts what they mean and where they come from.
        links: Lineage of the report.
        version: The model version that it is about, if one.
    """

    report: Report
    findings: Sequence[Finding]
    rules: Rules
    sinks: Sequence[Sink]
    explain: Callable[[Settlement], Settlement]
    links: Sequence[Link] = ()
    version: int | None = None


def keep(project: Definitions, what: Keeping, again: Again | None = None) -> list[Decision]:
    """:func:`keep_window` of anything that is watched."""
    catalog, report = project.store.catalog, what.report
    read = {report.ref: again.revision if again else 0, **((again.expect if again else None) or {})}
    for _ in range(_TRIES):
        if any(catalog.record_revision(ref) != revision for ref, revision in read.items()):
            return []
        alerts, expect = standing_alerts(project, report.endpoint, again.families if again else None)
        settled = settle(
            what.findings,
            alerts,
            report,
            what.rules,
            silences=catalog.find(Silence, "holding"),
            now=again.now if again else report.until,
            told=clock.now(),
        )
        settled = what.explain(settled)
        decisions = [decision_of(one, what.version) for one in settled.told if one.alert.severity != "info"]
        decisions += [
            decision_of(one, what.version, silenced=True) for one in settled.silenced if one.event == "opened"
        ]
        try:
            catalog.commit(
                report,
                *(again.beside if again else ()),
                *settled.changed,
                *decisions,
                *queue(settled.told, report.endpoint, what.sinks, now=clock.now()),
                links=what.links,
                expect=read | expect,
            )
        except Conflict:  # another watcher was first, or a person ended an alert meanwhile: decide anew
            continue
        tell_log(settled.told)
        return decisions
    raise Conflict(f"{report.ref} could not be kept: its alerts were changed again and again", do="Look again")


def standing_alerts(
    project: Definitions, endpoint: str, families: Collection[str] | None = None
) -> tuple[list[Alert], dict[str, int]]:
    """An endpoint's alerts that are open or may open, and the revisions they were read at.

    Args:
        project: Whose endpoint it is.
        endpoint: Which one.
        families: Only those of these families of rules; all by default.
    """
    catalog = project.store.catalog
    found = [
        one
        for one in catalog.find(Alert, endpoint)
        if one.state in {"open", "pending"} and (families is None or one.rule.partition(".")[0] in families)
    ]
    expect = {one.ref: catalog.record_revision(one.ref) for one in found}
    fresh = [catalog.get(Alert, one.key) for one in found]  # read after its revision, so that none is overwritten
    return [one for one in fresh if one is not None], expect


def explained(
    project: Definitions,
    monitor: Monitor,
    report: MonitorReport,
    settled: Settlement,
    example: Callable[[str], str],
) -> Settlement:
    """The same, with each broken rule's meaning, probable cause and the commands that show more."""
    endpoint = project.find_endpoint(report.endpoint)
    own = {rule.name: rule.meaning for rule in monitor.rules}
    known: dict[str, Alert] = {}
    for alert in settled.changed:
        known[alert.id] = alert
        if alert.report == report.ref and alert.state in {"open", "pending"}:
            known[alert.id] = msgspec.structs.replace(
                alert,
                meaning=meaning_of(alert.rule, project.objective, own.get(alert.rule, "")),
                cause=probable_cause(project, endpoint, alert.rule, report),
                commands=commands_of(alert, report.since, report.until, example(alert.rule)),
            )
    return Settlement(
        tuple(known.values()),
        tuple(Told(known[one.alert.id], one.event) for one in settled.told),
        tuple(Told(known[one.alert.id], one.event) for one in settled.silenced),
    )


def decision_of(told: Told, version: int | None, *, silenced: bool = False, at: Micros | None = None) -> Decision:
    """What was told, as a line of the timeline."""
    alert = told.alert
    because = f"resolved: {alert.rule}" if told.event == "resolved" else alert.message
    if told.event == "still open":
        because = f"still open: {because}"
    if silenced:
        because = f"{because} (a silence held: nobody was told)"
    known = alert.resolved if told.event == "resolved" and alert.resolved is not None else alert.at
    return Decision(
        id=derived_id("told", alert.id, told.event, alert.severity, alert.silence, "" if at is None else str(at)),
        at=known if at is None else at,
        about=alert.endpoint,
        what="alert",
        because=because,
        actor="monitor",
        version=version,
        evidence=msgspec.json.encode({"alert": alert.id, "rule": alert.rule, "severity": alert.severity}).decode(),
    )
