"""What the inference server is held to, and whether it is."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Mapping
from contextlib import suppress

import psutil

import load
from contestant import Contestant, Server
from measure import times
from summary import Line

BARE = "bare granian + msgspec + one-row loop"
OURS = "drivetrain"
ONLINE = "drivetrain, 30 online features"
ASKED = "drivetrain, 10 request features"
DISK = 'drivetrain, durability "disk"'
MEMORY = 'drivetrain, durability "memory"'
TWO = "drivetrain, two workers"

PEERS: Mapping[str, tuple[float, float]] = {
    "FastAPI + uvicorn": (8, 2),
    "MLServer": (6, 1.5),
    "MLflow": (15, 4),
    "BentoML": (25, 5),
    "LitServe": (10, 4),
    "Ray Serve": (40, 20),
}
"""How many times as many requests ours answers: at 64 connections, at one."""

_SHARES = (
    ("beside the bare loop", OURS, BARE, 0.5),
    ("with 30 online features of three views, beside without", ONLINE, OURS, 0.7),
    ("with 10 request features in Polars, beside without", ASKED, OURS, 0.5),
    ('durability "disk" beside "process"', DISK, OURS, 0.4),
)
_P50_MS = 1.5
_TAIL = 3.0
_WORKER_MB = 200.0
_SCALING = 1.6
_CORES = 4
"""Two workers and who asks them need a core each, and the machine one for itself."""

Contestants = Mapping[str, Contestant]
Steady = Mapping[str, tuple[float, float, float]]
"""Server → requests per second it was offered; p50 and p99 in ms."""


def steady(contestants: Contestants, row: list[float], seconds: float, rounds: int) -> Steady:
    """Latencies at half of what each of ours took at 64 connections, offered at a steady rate; medians over rounds."""
    seen: dict[str, list[tuple[float, float]]] = {}
    offered: dict[str, float] = {}
    for _ in range(rounds):
        for name in (BARE, OURS):
            one = contestants[name]
            if (most := one.figures(64)) is None:
                continue
            offered[name] = most.rate / 2
            slice_ = load.offer(one.port, one.request(row), 64, offered[name], seconds)
            seen.setdefault(name, []).append((slice_.quantile(0.5) * 1e3, slice_.quantile(0.99) * 1e3))
    medians = {name: [statistics.median(column) for column in zip(*found, strict=True)] for name, found in seen.items()}
    return {name: (offered[name], p50, p99) for name, (p50, p99) in medians.items()}


def lines(contestants: Contestants, offered: Steady) -> list[Line]:
    """Every budget, in a line each."""
    made = [
        _ratio(contestants, name, connections, floor)
        for at, connections in enumerate((64, 1))
        for name, floor in ((name, floors[at]) for name, floors in PEERS.items())
        if name in contestants
    ]
    made += [_share(contestants, *share) for share in _SHARES]
    made += [_idle(contestants[ASKED]), _tail(offered), _memory(contestants[OURS]), _two(contestants)]
    return made


def _ratio(contestants: Contestants, name: str, connections: int, floor: float) -> Line:
    ours, theirs = contestants[OURS], contestants[name]
    work = f"{connections} connection{'s' if connections > 1 else ''}, beside {name}"
    budget = f"× {floor:g}"
    found = ours.beside(theirs, connections)
    if found is None:
        return Line(work, "–", budget, None, [theirs.note or ours.note])
    rounds = f"{times(found.rate)} ({found.least:,.1f} to {found.most:,.1f})"
    return Line(work, f"{rounds}, by CPU {times(found.cpu)}", budget, found.rate >= floor)


def _share(contestants: Contestants, words: str, name: str, base: str, floor: float) -> Line:
    work, budget = f"64 connections, {words}", f"{floor:.0%}"
    found = contestants[name].beside(contestants[base], 64)
    if found is None:
        return Line(work, "–", budget, None, [contestants[name].note or contestants[base].note])
    rounds = f"{found.rate:.0%} ({found.least:.0%} to {found.most:.0%}), by CPU {found.cpu:.0%}"
    return Line(work, rounds, budget, found.rate >= floor)


def _idle(asked: Contestant) -> Line:
    work, budget = "1 connection, 10 request features in Polars", f"p50 {_P50_MS} ms"
    alone = asked.figures(1)
    if alone is None:
        return Line(work, "–", budget, None, [asked.note])
    return Line(work, f"p50 {alone.p50:.2f} ms, p99 {alone.p99:.2f} ms", budget, alone.p50 <= _P50_MS)


def _tail(offered: Steady) -> Line:
    work, budget = "64 connections, half of what it can take, at a steady rate", f"p99 ≤ {_TAIL:g} × p50"
    if OURS not in offered:
        return Line(work, "–", budget, None)
    words = {
        name: f"{rate:,.0f} req/s: p50 {p50:.2f} ms, p99 {p99:.2f} ms (× {p99 / p50:.1f})"
        for name, (rate, p50, p99) in offered.items()
    }
    within = {name: p99 <= _TAIL * p50 for name, (_, p50, p99) in offered.items()}
    # Where the bare loop is not within it either, who shares the machine makes the tail.
    met = within[OURS] or (None if not within.get(BARE, True) else False)
    return Line(work, words[OURS], budget, met, [f"{BARE} {words[BARE]}"] if BARE in words else [])


def _memory(ours: Contestant) -> Line:
    work, budget = "memory of the worker, three endpoints and one model each", f"{_WORKER_MB:.0f} MB"
    if ours.server is None or ours.note:
        return Line(work, "–", budget, None, [ours.note])
    resident, proportional, own = _worker(ours.server)
    words = f"{resident:.0f} MB resident; {proportional:.0f} MB, shared pages shared out; {own:.0f} MB its own alone"
    return Line(work, words, budget, resident <= _WORKER_MB)


def _worker(server: Server) -> tuple[float, float, float]:
    """MB resident, proportional and unique of the largest process that the server started."""
    found = [(math.nan, math.nan, math.nan)]
    for process in server.processes()[1:]:
        with suppress(psutil.Error):
            used = process.memory_full_info()
            found.append((used.rss / 1e6, used.pss / 1e6, used.uss / 1e6))
    return max(found[1:] or found)


def _two(contestants: Contestants) -> Line:
    work, budget = "64 connections, two workers beside one", f"× {_SCALING}"
    found = contestants[TWO].beside(contestants[OURS], 64)
    if found is None:
        return Line(work, "–", budget, None, [contestants[TWO].note or contestants[OURS].note])
    words = f"× {found.rate:.2f} ({found.least:.2f} to {found.most:.2f})"
    cores = len(os.sched_getaffinity(0))
    if cores < _CORES:
        return Line(work, words, budget, None, [f"{cores} cores, shared with who asks, can't show it: {_CORES} can"])
    return Line(work, words, budget, found.rate >= _SCALING)
