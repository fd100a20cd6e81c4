"""Workers killed under load: what was acknowledged is kept once, and others take their place."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from drivetrain.serve.log.compact import compact
from serve import world
from serve.faults.callers import LOST, Callers
from serve.faults.scale import sized
from serve.faults.workers import PATIENCE, wait_for_workers, workers
from serve.process import running

CALLERS = 6


@pytest.mark.parametrize("durability", ["process", "disk", "memory"])
def test_what_was_acknowledged_is_kept_once(tmp_path, durability):
    store = world.make(tmp_path)
    chance = random.Random(5)
    kills = 0
    with running(tmp_path, durability=durability, workers=2) as server, Callers(server, CALLERS) as callers:
        wait_for_workers(server, 2)
        for _ in range(sized(1, 20)):
            callers.more(50)
            safe = callers.acknowledged
            if durability == "memory":
                _wait_until_written(store, server, safe)
            callers.more(chance.randrange(1, 60))
            victim = workers(server)[0]  # the older: one that has just come and ends again says it can't run
            os.kill(victim, signal.SIGKILL)
            kills += 1
            callers.more(50)
            _wait_out(server, victim)
        callers.more(50)
        callers.__exit__()
    compact(store, server.log)
    rows = store.tables.read("log/plain/predictions")
    assert rows.select("request_id", "row", "role").is_unique().all()
    assert set(safe if durability == "memory" else callers.acknowledged) <= set(rows["request_id"])
    assert callers.refused == []
    # A connection breaks with the worker at its other end, or in that worker's queue of those not yet taken.
    assert len(callers.lost) <= kills * CALLERS * 2, callers.lost


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_the_instant_a_worker_ends_is_heard(tmp_path, how):
    world.make(tmp_path)
    chance = random.Random(how)
    for _ in range(sized(1, 20)):
        with running(tmp_path) as server:
            (victim,) = workers(server)
            os.kill(victim, signal.SIGKILL)
            time.sleep(chance.uniform(0.0, 0.01))
            assert server.end(how) == 0


def _wait_until_written(store, server, names):
    """What is in memory is so for a moment only: the worker writes it down while it runs."""
    until = time.monotonic() + PATIENCE
    while True:
        compact(store, server.log)
        # There is no table before the first was written down.
        there = store.tables.version("log/plain/predictions") is not None
        if there and set(names) <= set(store.tables.read("log/plain/predictions")["request_id"]):
            return
        assert time.monotonic() < until
        time.sleep(0.1)


def _wait_out(server, victim):
    """Until two workers answer; who asks meanwhile may have got the dead one's queue."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return wait_for_workers(server, 2, without=victim)
        except LOST:
            assert time.monotonic() < until
