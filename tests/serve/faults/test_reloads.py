"""Reloads under load: no request fails, and each is answered by who was champion while it was under way."""

from __future__ import annotations

import time

from drivetrain.serve.log.compact import compact
from serve import world
from serve.faults.callers import BASE, Callers
from serve.faults.scale import sized
from serve.faults.workers import PATIENCE, wait_for_workers
from serve.process import running

BIASES = {1: 0.0, 2: 1_000_000.0}
RELOADS = sized(12, 1000)
WORKERS = 2


def test_no_request_fails_and_none_is_answered_by_another_version(tmp_path):
    store = world.make(tmp_path)
    world.add_version(store, "plain", 2, BIASES[2])
    reigns = [(1, 0.0, float("inf"))]
    with running(tmp_path, workers=WORKERS) as server, Callers(server, 4) as callers:
        wait_for_workers(server, WORKERS)
        for turn in range(RELOADS):
            number = 2 - turn % 2
            before, since, _ = reigns.pop()
            began = time.monotonic()
            world.point(store, "plain", "champion", number)
            _wait_until_seen(server, number)
            reigns += [(before, since, time.monotonic()), (number, began, float("inf"))]
            callers.more(4)
        callers.__exit__()
    assert (callers.refused, callers.lost) == ([], [])
    assert len(reigns) == RELOADS + 1
    for told in callers.all:
        version = told.answer["model_version"]
        assert told.answer["predictions"] == [told.distance + BASE + BIASES[version]]
        assert any(one == version and since <= told.told and told.sent <= until for one, since, until in reigns), told
    assert {told.answer["model_version"] for told in callers.all} == {1, 2}
    compact(store, server.log)
    rows = store.tables.read("log/plain/predictions")
    assert sorted(rows["request_id"]) == sorted(callers.acknowledged)


def _wait_until_seen(server, number):
    """Until every worker says that it answers with a version."""
    until = time.monotonic() + PATIENCE
    while True:
        notes = server.get("/v1/endpoints/plain")[1]["workers"]
        if [note["champion"] for note in notes] == [number] * WORKERS:
            return
        assert time.monotonic() < until, notes
        time.sleep(0.02)
