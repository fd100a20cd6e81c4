"""The loop by the clock: looks at sources and monitors again and again, under a lease."""

from __future__ import annotations

import time
from collections.abc import Callable

from drivetrain.core.clock import now
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Decision
from drivetrain.loop.project import Project
from drivetrain.loop.runner import LEASE_SECONDS, holder
from drivetrain.store.leases import heartbeat

LEASE = "watch"


def watch(project: Project, *, every: float, looks: int | None, tell: Callable[[Decision], None]) -> None:
    """Looks every ``every`` seconds: ingests what is new, then one tick of the monitors.

    Only one watch (or replay) works on a project at a time; others wait their turn. A look that fails is told and the
    next one tries again.

    Args:
        project: Whose monitors.
        every: Seconds between looks.
        looks: How many; none for ever.
        tell: Called with every decision.
    """
    leases = project.store.leases
    done = 0
    while looks is None or done < looks:
        lease = leases.acquire(LEASE, holder(), LEASE_SECONDS)
        if lease is not None:
            with heartbeat(leases, lease, LEASE_SECONDS):
                _look(project, tell)
            done += 1
        if looks is None or done < looks:
            time.sleep(every)


def _look(project: Project, tell: Callable[[Decision], None]) -> None:
    try:
        project.run(only="data")
        for decision in project.tick(now()):
            tell(decision)
    except DrivetrainError as error:
        tell(_failed(project, error))


def _failed(project: Project, error: DrivetrainError) -> Decision:
    return Decision(id=new_id(), at=now(), about=project.name, what="alert", because=str(error), actor="watch")
