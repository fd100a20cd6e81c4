"""What people make of alerts: seen, ended by hand, useful or noise."""

from __future__ import annotations

import msgspec

from drivetrain.core import clock
from drivetrain.core.errors import Conflict, UnknownName, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Alert, Decision
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.outbox import queue

_SHORTEST = 4


def find_alert(project: Definitions, named: str) -> Alert:
    """The alert of that id, of an id that begins so, or the one open alert of that rule.

    Raises:
        UnknownName: There is none, or more than one.
    """
    alerts = [one for one in project.store.catalog.find(Alert) if one.shown]
    found = [one for one in alerts if one.id == named]
    if not found and len(named) >= _SHORTEST:
        found = [one for one in alerts if one.id.startswith(named)]
    if not found:
        found = [one for one in alerts if one.rule == named and one.state == "open"]
    if len(found) != 1:
        open_ones = [f"{one.id[:8]} ({one.rule} on {one.endpoint})" for one in alerts if one.state == "open"]
        raise UnknownName(
            f"{'more than one' if found else 'no'} alert is called {named!r}",
            expected=f"one of {', '.join(open_ones)}" if open_ones else "an id; no alert is open",
        )
    return found[0]


def acknowledge(project: Definitions, named: str, *, actor: str) -> Alert:
    """Says that a person has seen an alert."""
    return _change(project, named, actor=actor, because="", useful=None, end=False)


def resolve(project: Definitions, named: str, *, because: str, useful: bool | None, actor: str) -> Alert:
    """Ends an alert by hand, or says of one that has ended whether it was useful."""
    return _change(project, named, actor=actor, because=because.strip(), useful=useful, end=True)


def _change(project: Definitions, named: str, *, actor: str, because: str, useful: bool | None, end: bool) -> Alert:
    catalog = project.store.catalog
    key = find_alert(project, named).id
    for _ in range(20):
        revision = catalog.record_revision(f"alert:{key}")
        before = catalog.get(Alert, key)
        assert before is not None
        ends = end and before.state == "open"
        if ends and not because:
            raise UsageError("an alert that is open is ended for a reason", expected="because=…")
        if end and not ends and useful is None:
            raise UsageError(f"alert {key[:8]} has ended already", do="Say whether it was useful: --useful, or --noise")
        now = clock.now()
        seen = before.acknowledged if before.acknowledged is not None else now
        after = msgspec.structs.replace(
            before, acknowledged=seen, by=before.by or actor, useful=before.useful if useful is None else useful
        )
        if ends:
            after = msgspec.structs.replace(after, state="resolved", resolved=now, because=because, by=actor)
        monitor = project.watches.get(after.endpoint)
        told = [Told(after, "resolved")] if ends and after.peak and monitor is not None else []
        deliveries = queue(told, after.endpoint, monitor.sinks, now=now) if monitor is not None else []
        try:
            catalog.commit(after, _decision(after, before, actor, now), *deliveries, expect={after.ref: revision})
        except Conflict:  # a watcher changed it meanwhile
            continue
        return after
    raise Conflict(f"alert {key[:8]} was changed again and again", do="Try again")


def _decision(after: Alert, before: Alert, actor: str, now: int) -> Decision:
    said = []
    if after.state != before.state:
        said.append(f"ended by hand: {after.because}")
    elif before.acknowledged is None:
        said.append("seen")
    if after.useful is not None and after.useful != before.useful:
        said.append("useful" if after.useful else "noise")
    return Decision(
        id=new_id(),
        at=now,
        about=after.endpoint,
        what="resolve",
        because=f"{after.rule}: {', '.join(said) or 'seen again'}",
        actor=actor,
        evidence=msgspec.json.encode({"alert": after.id, "rule": after.rule, "useful": after.useful}).decode(),
    )
