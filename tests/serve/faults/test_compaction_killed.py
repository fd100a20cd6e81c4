"""Compactions of a server under load, killed at instants drawn by seed: nothing is lost, nothing is there twice."""

from __future__ import annotations

import random

from drivetrain.serve.log.compact import compact
from drivetrain.serve.log.segment import segments
from drivetrain.testing.kill import run_killed
from serve import world
from serve.faults.callers import Callers
from serve.faults.scale import sized
from serve.process import running

KILLS = sized(3, 150)
_COMPACT = """
import sys
from pathlib import Path
from drivetrain.core.settings import StoreSettings
from drivetrain.serve.log.compact import compact
from drivetrain.store.bundle import open_store
from drivetrain.testing.kill import armed, disarmed
folder = Path(sys.argv[1])
store = open_store(StoreSettings(), folder)
armed()
compact(store, folder / ".drivetrain/log")
disarmed()
"""


def test_killed_anywhere_nothing_is_lost_or_doubled(tmp_path):
    store = world.make(tmp_path)
    chance = random.Random(11)
    killed = 0
    with running(tmp_path, workers=2) as server, Callers(server) as callers:
        callers.more(50)
        steps = run_killed(_COMPACT, str(tmp_path), steps=1 << 60).steps
        assert steps > 100
        for number in range(KILLS):
            callers.more(20)
            label = {"feedback": [{"entity": f"f{number}", "label": 1}]}
            assert server.post("/v1/endpoints/plain/feedback", label)[0] == 200
            killed += run_killed(_COMPACT, str(tmp_path), steps=chance.randrange(1, steps)).killed
        callers.__exit__()
        assert (callers.refused, callers.lost) == ([], [])
    compact(store, server.log)
    rows = store.tables.read("log/plain/predictions")
    assert sorted(rows["request_id"]) == sorted(callers.acknowledged)
    labels = store.tables.read("log/plain/feedback")["entity"]
    assert sorted(labels) == sorted(f"f{at}" for at in range(KILLS))
    assert segments(server.log / "plain") == []
    assert killed >= KILLS // 2
