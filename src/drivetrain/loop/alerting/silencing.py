"""Silences: begun and ended by people, ended by time; then what is still open is told."""

from __future__ import annotations

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import SECOND, Micros, iso, show_duration
from drivetrain.core.errors import Conflict, UnknownName, UsageError
from drivetrain.core.ids import derived_id, new_id
from drivetrain.core.records import Alert, Decision, Silence
from drivetrain.loop.alerting.keeping import decision_of
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.lifecycle import Told, silenced_by
from drivetrain.monitor.alerting.outbox import queue
from drivetrain.monitor.alerting.rule import RESERVED
from drivetrain.monitor.alerting.sinks.log import tell_log
from drivetrain.monitor.tables.spec import FAMILIES


def silence(
    project: Definitions, rule: str, lasting: str | Micros, *, because: str, endpoint: str | None, actor: str
) -> Silence:
    """Begins a silence; see :meth:`Alerts.silence`."""
    length = clock.duration(lasting)
    if not length:
        raise UsageError("a silence lasts for some time", found=repr(lasting), expected="such as 2h")
    if not because.strip():
        raise UsageError("a silence needs a reason", expected="because=…")
    if endpoint is not None and endpoint not in {*project.endpoints, *project.watched}:
        expected = ", ".join([*project.endpoints, *project.watched])
        raise UnknownName(f"no endpoint is called {endpoint!r}, and nothing else is watched so", expected=expected)
    known = rules_of(project, endpoint)
    if rule not in known and rule not in {name.partition(".")[0] for name in known}:
        raise UnknownName(f"no rule is called {rule!r}", expected=", ".join(sorted(known)))
    now = clock.now()
    made = Silence(
        id=new_id(),
        at=now,
        rule=rule,
        endpoint=endpoint or "",
        until=now + length,
        because=because.strip(),
        actor=actor,
    )
    where = f" on {endpoint}" if endpoint else ""
    decision = _decision(
        made, f"{rule}{where} for {show_duration(length)}, until {_second(made.until)}: {made.because}", now
    )
    project.store.catalog.commit(made, decision)
    return made


def end_silence(project: Definitions, key: str, *, because: str, actor: str) -> Silence:
    """Ends a silence before its time, and tells what is still open; see :meth:`Alerts.unsilence`."""
    found = [one for one in project.store.catalog.find(Silence, "holding") if one.id.startswith(key)]
    if not key or len(found) != 1:
        raise UnknownName(f"{'no' if not found else 'more than one'} silence that holds is called {key!r}")
    now = clock.now()
    ended = msgspec.structs.replace(found[0], ended=now)
    _end(project, ended, f"ended by {actor}: {because}", now)
    return ended


def end_silences(project: Definitions) -> list[Decision]:
    """Ends silences whose time is over, and tells what is still open."""
    now = clock.now()
    made: list[Decision] = []
    for one in project.store.catalog.find(Silence, "holding"):
        if now >= one.until:
            made += _end(project, msgspec.structs.replace(one, ended=now), "its time is over", now)
    return made


def rules_of(project: Definitions, endpoint: str | None = None) -> set[str]:
    """Every rule that an alert may have: those of monitors, and those that alerts had."""
    monitors = [one for name, one in project.watches.items() if endpoint in {None, name}]
    own = {rule.name for monitor in monitors for rule in monitor.rules}
    families = {"latency", *RESERVED} | (set(FAMILIES) if endpoint is None or endpoint in project.watched else set())
    return own | {one.rule for one in project.store.catalog.find(Alert, endpoint)} | families


def _end(project: Definitions, ended: Silence, how: str, now: Micros) -> list[Decision]:
    """Keeps a silence's end, and tells of the alerts it was about that are still open and no other silence covers."""
    catalog = project.store.catalog
    for _ in range(20):
        expect = {ended.ref: catalog.record_revision(ended.ref)}
        before = catalog.get(Silence, ended.key)
        if before is None or before.ended is not None:  # another watcher ended it
            return []
        others = [one for one in catalog.find(Silence, "holding") if one.id != ended.id]
        alerts = [one for one in catalog.find(Alert) if one.state == "open" and ended.covers(one.endpoint, one.rule)]
        alerts = [one for one in alerts if silenced_by(others, one.endpoint, one.rule, now) is None]
        expect |= {one.ref: catalog.record_revision(one.ref) for one in alerts}
        fresh = [found for one in alerts if (found := catalog.get(Alert, one.key)) is not None]
        told = [
            Told(msgspec.structs.replace(one, peak=one.severity, told=one.told or now), "still open")
            for one in fresh
            if one.state == "open"
        ]
        still = (
            f"; still open: {', '.join(one.alert.rule for one in told)}" if told else "; nothing it was about is open"
        )
        decisions = [_decision(ended, f"The silence of {ended.rule} ended, {how}{still}", now)]
        decisions += [decision_of(one, None, at=now) for one in told if one.alert.severity != "info"]
        monitors = project.watches
        deliveries = [
            delivery
            for one in told
            if one.alert.endpoint in monitors
            for delivery in queue([one], one.alert.endpoint, monitors[one.alert.endpoint].sinks, now=now)
        ]
        try:
            catalog.commit(ended, *(one.alert for one in told), *decisions, *deliveries, expect=expect)
        except Conflict:
            continue
        tell_log(told)
        return decisions
    raise Conflict(f"{ended.ref} could not be ended: its alerts were changed again and again", do="Look again")


def _decision(about: Silence, because: str, now: Micros) -> Decision:
    return Decision(
        id=derived_id("silence", about.id, "" if about.ended is None else "ended"),
        at=now,
        about=about.endpoint or about.rule,
        what="silence",
        because=because,
        actor=about.actor if about.ended is None else "monitor",
        evidence=msgspec.json.encode({"silence": about.id, "rule": about.rule, "until": iso(about.until)}).decode(),
    )


def _second(moment: Micros) -> str:
    return iso(moment // SECOND * SECOND)
