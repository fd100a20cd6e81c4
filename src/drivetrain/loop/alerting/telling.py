"""Who delivers what waits: a thread beside the watch, which never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import SECOND
from drivetrain.core.errors import Conflict, DrivetrainError, SinkAway, StoreError
from drivetrain.core.records import Alert, Delivery
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.message import Message, gather
from drivetrain.monitor.alerting.outbox import by_sink, claim, due, failed, next_due
from drivetrain.monitor.alerting.sinks.log import log
from drivetrain.monitor.alerting.sinks.sink import Sink

IDLE = 60.0
"""Seconds after which the thread looks by itself, whatever it was told."""
PARTING = 5.0
"""Seconds that a process which ends waits for what is under way."""


def deliver(project: Definitions) -> int:
    """Tries every sink for which something is due, once; how many messages were delivered.

    What is tried is claimed first: of two that come to it, one sends. A process that is killed in between leaves its
    claim to run out, and what it claimed is tried again: a message may come twice, none is lost.
    """
    catalog = project.store.catalog
    waiting = catalog.find(Delivery, "waiting")
    delivered = 0
    for label, found in by_sink(waiting).items():
        now = clock.now()
        if not due(found, now):
            continue
        revisions = {one.ref: catalog.record_revision(one.ref) for one in found}
        fresh = [one for known in found if (one := catalog.get(Delivery, known.key)) is not None]
        fresh = [one for one in fresh if one.state == "waiting"]
        if not fresh or not due(fresh, now):
            continue
        claimed = claim(fresh, now)
        try:
            catalog.commit(*claimed, expect={one.ref: revisions[one.ref] for one in claimed})
        except Conflict:  # another process tells them
            continue
        delivered += _send(project, label, claimed)
    return delivered


def wait_of(project: Definitions) -> float | None:
    """Seconds until something is due; none where nothing waits."""
    left = next_due(project.store.catalog.find(Delivery, "waiting"), clock.now())
    return None if left is None else max(left / SECOND, 0.05)


def sinks_of(project: Definitions) -> dict[str, Sink]:
    """Every sink that a monitor names, by its label."""
    return {sink.label: sink for monitor in project.watches.values() for sink in monitor.sinks}


def home_of(project: Definitions) -> str:
    """Address of the dashboard, for links."""
    web = project.settings.web
    if web.address:
        return web.address.rstrip("/")
    host = "localhost" if web.host in {"0.0.0.0", "::", ""} else web.host  # noqa: S104 - compared, not listened on
    return f"http://{f'[{host}]' if ':' in host else host}:{web.port}"


def message_of(project: Definitions, deliveries: Sequence[Delivery]) -> Message | None:
    """What a sink is told, as the alerts stand now; none where they are gone.

    What grew worse, or is still open, before it was ever heard of is told once.
    """
    latest: dict[tuple[str, bool], Delivery] = {}
    for one in deliveries:
        latest.setdefault((one.alert, one.event == "resolved"), one)
    told = []
    for one in latest.values():
        alert = project.store.catalog.get(Alert, one.alert)
        if alert is not None:
            told.append(Told(alert, one.event))
    return gather(project.name, project.objective, told, home_of(project)) if told else None


def _send(project: Definitions, label: str, claimed: Sequence[Delivery]) -> int:
    catalog = project.store.catalog
    sink = sinks_of(project).get(label)
    message = message_of(project, claimed)
    if sink is None or message is None:
        why = "the project names no such sink any more" if sink is None else "the alert is gone"
        catalog.commit(*(msgspec.structs.replace(one, state="given up", error=why) for one in claimed))
        return 0
    try:
        _hand(sink, message)
    except SinkAway as error:
        kept = failed(claimed, str(error), now=clock.now(), after=error.after, patience=sink.patience_us)
        lost = sum(one.state == "given up" for one in kept)
        log.warning("attempt %d: %s", kept[0].attempts, error)
        if lost:
            log.error("%s: %d messages are given up; their alerts stay in the catalog", label, lost)
        catalog.commit(*kept)
        return 0
    catalog.commit(*(msgspec.structs.replace(one, state="delivered", error="") for one in claimed))
    return 1


def _hand(sink: Sink, message: Message) -> None:
    """Sends a message; whatever a sink raises, the others are told."""
    try:
        sink.send(message)
    except SinkAway:
        raise
    except Exception as error:  # noqa: BLE001 - a sink of the project's own may raise anything, secrets included
        raise SinkAway(f"{sink.label} failed with {type(error).__name__}") from None


class Teller:
    """A thread that delivers what waits, when it is woken and when something is due.

    Args:
        project: Whose alerts.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project
        self._woken = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something may wait; returns at once."""
        self._woken.set()

    def close(self, seconds: float | None = None) -> bool:
        """Lets what is under way end, for at most ``seconds`` (five); what is left waits for the next watch."""
        self._over.set()
        self._woken.set()
        self._thread.join(PARTING if seconds is None else seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            last = self._over.is_set()
            self._woken.clear()
            pause = IDLE
            try:
                deliver(self._project)
                pause = min(wait_of(self._project) or IDLE, IDLE)
            except StoreError as error:
                log.warning("alerts wait, for the catalog is away: %s", error)
            except DrivetrainError as error:
                log.error("alerts can't be delivered: %s", error)
            if last:
                return
            if not self._over.is_set():
                self._woken.wait(pause)


@contextmanager
def telling(project: Definitions) -> Iterator[Teller]:
    """Delivers beside the block, and for a few seconds after it."""
    teller = Teller(project)
    try:
        yield teller
    finally:
        teller.close()


def tell_now(project: Definitions) -> None:
    """Delivers what waits, for a few seconds at most; without anybody to tell, not at all."""
    if sinks_of(project):
        Teller(project).close()
