"""The loop by the clock: looks at sources and monitors again and again, under a lease."""

from __future__ import annotations

import time
from collections.abc import Callable

from drivetrain.core.clock import now
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Decision
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.runner import LEASE_SECONDS, holder
from drivetrain.store.leases import heartbeat

LEASE = "watch"


def watch(
    project: Definitions,
    look: Callable[[Definitions], list[Decision]],
    *,
    every: float,
    looks: int | None,
    tell: Callable[[Decision], None] | None,
) -> None:
    """Looks every ``every`` seconds.

    Only one watch (or replay) works on a project at a time; others wait their turn. A look that fails is told and the
    next one tries again.

    Args:
        project: Whose sources and monitors.
        look: One look, as of now.
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
                for decision in _safely(project, look):
                    if tell is not None:
                        tell(decision)
            done += 1
        if looks is None or done < looks:
            time.sleep(every)


def _safely(project: Definitions, look: Callable[[Definitions], list[Decision]]) -> list[Decision]:
    try:
        return look(project)
    except DrivetrainError as error:
        return [Decision(id=new_id(), at=now(), about=project.name, what="alert", because=str(error), actor="watch")]
