"""What waits for a sink: when it is tried, when it is given up. It is kept in the catalog and outlives the watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.records import SEVERITIES, Delivery
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.sinks.sink import Sink

SHORTEST, LONGEST = 1 * SECOND, 900 * SECOND
"""Wait after the first failure, and the longest: each wait is twice the one before."""
LEAST_TRIES = 8
"""Attempts before anything is given up, however late the clock says it is."""
CLAIM: Micros = 120 * SECOND
"""How long an attempt that says nothing, because its process was killed, keeps others from trying."""


def queue(told: Sequence[Told], monitor: str, sinks: Sequence[Sink], *, now: Micros) -> list[Delivery]:
    """What each sink is to hear; kept in the same commit as the alerts themselves.

    A sink hears of the end of what it heard of, and of nothing below its lowest severity.
    """
    made = []
    for one in told:
        gravest = one.alert.peak or one.alert.severity
        severity = gravest if one.event == "resolved" else one.alert.severity
        made += [
            Delivery(at=now, sink=sink.label, monitor=monitor, alert=one.alert.id, event=one.event, severity=severity)
            for sink in sinks
            if SEVERITIES.index(severity) >= SEVERITIES.index(sink.lowest)
        ]
    return made


def by_sink(waiting: Sequence[Delivery]) -> dict[str, list[Delivery]]:
    """What waits for each sink, oldest first; one sink of two monitors is told once."""
    ordered = sorted(waiting, key=lambda one: (one.sink, one.at, one.key))
    return {sink: list(found) for sink, found in groupby(ordered, key=lambda one: one.sink)}


def due(waiting: Sequence[Delivery], now: Micros) -> bool:
    """Whether a sink is to be tried: what failed last says when. A clock that was set back makes nobody wait for it."""
    tried = [one for one in waiting if one.attempts]
    if not tried:
        return bool(waiting)
    last = max(tried, key=lambda one: one.tried)
    return now >= last.due or now < last.tried


def next_due(waiting: Sequence[Delivery], now: Micros) -> Micros | None:
    """How long until the first sink is to be tried; none where nothing waits."""
    waits = [
        0 if due(found, now) else max(one.due for one in found if one.attempts) - now
        for found in by_sink(waiting).values()
    ]
    return min(waits, default=None)


def claim(waiting: Sequence[Delivery], now: Micros) -> list[Delivery]:
    """What waits, as it is kept before it is tried."""
    return [msgspec.structs.replace(one, attempts=one.attempts + 1, tried=now, due=now + CLAIM) for one in waiting]


def failed(
    claimed: Sequence[Delivery], error: str, *, now: Micros, after: float | None, patience: Micros
) -> list[Delivery]:
    """What was tried in vain: it waits twice as long as before, or as long as the receiver asked; or is given up.

    Args:
        claimed: What was tried.
        error: Why it failed.
        now: The moment.
        after: Seconds that the receiver wants to be left alone.
        patience: How long something is tried before it is given up.
    """
    tries = max(one.attempts for one in claimed)
    wait = min(SHORTEST * 2 ** min(tries - 1, 20), LONGEST)
    wait = max(wait, round((after or 0.0) * SECOND))
    return [
        msgspec.structs.replace(
            one,
            error=error,
            due=now + wait,
            state="given up" if now - one.at >= patience and one.attempts >= LEAST_TRIES else "waiting",
        )
        for one in claimed
    ]


def standing(deliveries: Sequence[Delivery]) -> Mapping[str, str]:
    """Sink → what is wrong with it; sinks that take everything are left out."""
    return {
        sink: max(found, key=lambda one: one.tried).error
        for sink, found in by_sink(deliveries).items()
        if any(one.error for one in found)
    }
