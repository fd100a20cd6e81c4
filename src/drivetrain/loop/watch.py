"""The loop by the clock: looks at sources and monitors again and again, under a lease."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from drivetrain.core.clock import MINUTE, SECOND, Micros, now, show_duration
from drivetrain.core.errors import DrivetrainError, StoreError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Decision
from drivetrain.loop.alerting.telling import Teller, telling
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.guarding import guarding
from drivetrain.loop.runner import LEASE_SECONDS, holder
from drivetrain.store.leases import heartbeat

LEASE = "watch"
JUMP: Micros = MINUTE
"""How far the clock may stray from time that went by before it is said to have jumped."""


class Pace:
    """Notices when the clock is set: it is held against one that only runs forward.

    Args:
        wall: The clock, microseconds.
        steady: One that only runs forward, in seconds.
    """

    def __init__(self, wall: Callable[[], Micros] = now, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._apart = self._difference()

    def jumped(self) -> Micros:
        """How far the clock has jumped since it was last asked; 0 where it only ran."""
        apart = self._difference()
        jump = apart - self._apart
        self._apart = apart
        return jump if abs(jump) >= JUMP else 0

    def _difference(self) -> Micros:
        return self._wall() - round(self._steady() * SECOND)


def watch(
    project: Definitions,
    look: Callable[[Definitions], list[Decision]],
    *,
    every: float,
    looks: int | None,
    tell: Callable[[Decision], None] | None,
    pace: Pace | None = None,
) -> None:
    """Looks every ``every`` seconds.

    Only one watch (or replay) works on a project at a time; others say so and wait their turn. A look that fails is
    told and the next one tries again. Alerts are delivered beside it: a sink that is away holds nothing up. Beside it
    too, canaries are guarded: one that breaks a guardrail on errors or slow answers waits for no look. After the
    clock was set forward one look is left out, for windows that have not ended would count as if they had, and a clock
    that was set by mistake is often set back.

    Args:
        project: Whose sources and monitors.
        look: One look, as of now.
        every: Seconds between looks.
        looks: How many; none for ever.
        tell: Called with every decision, one at a time.
        pace: The clocks.
    """
    clocks = Pace() if pace is None else pace
    done, waits = 0, False
    one_at_a_time = threading.Lock()

    def say(decision: Decision) -> None:
        if tell is not None:
            with one_at_a_time:
                tell(decision)

    with telling(project) as teller, guarding(project, say):
        while looks is None or done < looks:
            jump = clocks.jumped()
            said = [_said(project, _jump(jump))] if jump else []
            if jump <= 0:
                found = _once(project, look, teller)
                if found is None:
                    said += [] if waits else [_said(project, "another watch works on this project; this one waits")]
                else:
                    said += found
                    done += 1
                waits = found is None
            for decision in said:
                say(decision)
            if looks is None or done < looks:
                time.sleep(every)


def _once(project: Definitions, look: Callable[[Definitions], list[Decision]], teller: Teller) -> list[Decision] | None:
    """One look; none where somebody else holds the lease."""
    leases = project.store.leases
    found: list[Decision] = []
    try:
        lease = leases.acquire(LEASE, holder(), LEASE_SECONDS)
        if lease is None:
            return None
        with heartbeat(leases, lease, LEASE_SECONDS):
            found = _safely(project, look)
    except StoreError as error:  # the catalog is away, or the lease ran out while this process was stopped
        return [*found, _said(project, str(error))]
    finally:
        teller.wake()
    return found


def _safely(project: Definitions, look: Callable[[Definitions], list[Decision]]) -> list[Decision]:
    try:
        return look(project)
    except DrivetrainError as error:
        return [_said(project, str(error))]


def _jump(jump: Micros) -> str:
    if jump > 0:
        return f"the clock jumped forward by {show_duration(jump // SECOND * SECOND)}; this look is left out"
    return f"the clock was set back by {show_duration(-jump // SECOND * SECOND)}; windows, alerts and retries go on"


def _said(project: Definitions, because: str) -> Decision:
    return Decision(id=new_id(), at=now(), about=project.name, what="alert", because=because, actor="watch")
