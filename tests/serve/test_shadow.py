from __future__ import annotations

import threading

import msgspec
import pytest

from drivetrain.serve.call import Batch, Call, Facts
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.log.read import find
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.serve.shadow import Shadow
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion
from serve import world


class Held(world.Sum):
    """Waits until it is let go."""

    def __init__(self, bias: float) -> None:
        super().__init__(bias)
        self.gate = threading.Event()
        self.gate.set()

    def predict_row(self, row):
        self.gate.wait(30)
        return super().predict_row(row)


@pytest.fixture
def store(tmp_path):
    opened = world.fresh_store(tmp_path)
    yield opened
    opened.close()


def batch(count):
    calls = [
        Call(request_id=f"r{at}", rows=[("f", "UA", 1.0, 2)], raws=[msgspec.Raw(b"{}")], ats=[5], started=0)
        for at in range(count)
    ]
    return Batch(calls), Facts([[1.0, "UA", 2] for _ in calls], [[] for _ in calls], ["f"] * count)


def made(store, tmp_path, engine, limit=100):
    meter = Meter()
    log = WriteAheadLog(tmp_path / "log/plain")
    version = LoadedVersion(world.add_version(store, "plain", 2, 0.0), engine, ("distance", "carrier", "seats"), {})
    return Shadow("plain", log, meter, keeping=Keeping((), 1.0), limit=limit), log, meter, version


def test_rows_are_predicted_again_and_logged(store, tmp_path):
    shadow, log, meter, version = made(store, tmp_path, world.Sum(10.0))
    shadow.offer(version, *batch(50))
    shadow.close()
    log.close()
    (entry,) = find(store, tmp_path / "log", "r7")
    assert (entry.role, entry.version, entry.prediction, entry.at) == ("shadow", 2, 14.0, 5)
    assert meter.counters["predictions"]["plain", "shadow", "2"] == 50


def test_rows_beyond_the_limit_are_left_out_and_counted(store, tmp_path):
    engine = Held(0.0)
    shadow, log, meter, version = made(store, tmp_path, engine, limit=10)
    engine.gate.clear()
    shadow.offer(version, *batch(10))
    shadow.offer(version, *batch(100))
    dropped = meter.counters["shadow_dropped"]["plain",]
    assert dropped >= 90
    engine.gate.set()
    shadow.close()
    log.close()
    assert meter.counters["predictions"]["plain", "shadow", "2"] == 110 - dropped


def test_a_shadow_that_fails_is_counted_and_breaks_nothing(store, tmp_path):
    shadow, log, meter, version = made(store, tmp_path, world.Sum(-1.0))
    shadow.offer(version, *batch(3))
    shadow.close()
    log.close()
    assert meter.counters["shadow_failed"]["plain",] == 3
