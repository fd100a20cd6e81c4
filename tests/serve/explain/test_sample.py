from __future__ import annotations

import math
import threading
import time

import msgspec
import pytest

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.call import Batch, Call, Facts
from drivetrain.serve.explain.explainer import Explainers
from drivetrain.serve.explain.sample import WAITING, chosen
from drivetrain.serve.log.compact import Compacted, compact
from drivetrain.serve.version import LoadedVersion
from serve import world
from serve.fakes import door

NAMES = ("distance", "carrier", "seats")


class Known(world.Sum):
    """Explains itself, when it is let: every value is its own contribution, null none."""

    def __init__(self, bias):
        super().__init__(bias)
        self.gate = threading.Event()
        self.gate.set()

    def explain(self, rows):
        self.gate.wait(10)
        return [[0.0 if math.isnan(value) else value for value in row] + [self.bias] for row in rows.tolist()]


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def offering(store, tmp_path):
    """An endpoint's explainer, its meter, and a version; (share, engine) → these."""
    ended = []

    def make(share, engine):
        with door(world.fresh_store(tmp_path), tmp_path / "log") as served:
            plane, meter = served.app._planes["plain"], served.app._meter
        explainers = Explainers({"plain": plane}, store.blobs, ServeSettings(explain_share=share), meter)
        ended.append(explainers)
        record = world.add_version(store, "plain", 2, 0.0)
        return explainers, meter, LoadedVersion(record, engine, NAMES, {}), plane

    yield make
    for explainers in ended:
        explainers.close()


def batch(ids, rows=1):
    calls = [
        Call(
            request_id=each,
            rows=[("f", "UA", float(row), 2) for row in range(rows)],
            raws=[msgspec.Raw(b"{}")] * rows,
            ats=[5_000_000] * rows,
            started=0,
        )
        for each in ids
    ]
    vectors = [[float(row), "UA", 2] for _ in calls for row in range(rows)]
    return Batch(calls), Facts(vectors, [[] for _ in vectors], ["f"] * len(vectors)), [row[0] + 3 for row in vectors]


def explained(store, tmp_path):
    compact(store, tmp_path / "log")
    if store.tables.version("log/plain/explanations") is None:
        return []
    return store.tables.read("log/plain/explanations").sort("request_id", "row").rows(named=True)


def test_every_row_of_a_drawn_request_is_logged_once(store, tmp_path, offering):
    explainers, meter, version, plane = offering(1.0, Known(0.0))
    offer = explainers.by_name["plain"].offer
    offer(version, *batch(["a", "b"], rows=2))
    offer(version, *batch(["a"], rows=2))
    explainers.close()
    plane.log.close()
    rows = explained(store, tmp_path)
    assert [(row["request_id"], row["row"]) for row in rows] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert (rows[1]["unit"], rows[1]["method"], rows[1]["version"], rows[1]["model"]) == ("target", "exact", 2, "plain")
    assert (rows[1]["base"], rows[1]["contributions"], rows[1]["prediction"]) == ([0.0], [1.0, 1.0, 2.0], 4.0)
    assert rows[1]["at"].timestamp() == 5.0
    assert meter.counters["explained"]["plain", "sampled"] == 6
    assert compact(store, tmp_path / "log") == Compacted()


def test_only_the_rows_a_version_answered_are_taken(store, tmp_path, offering):
    explainers, _, version, plane = offering(1.0, Known(0.0))
    whole, facts, outputs = batch(["a"], rows=5)
    explainers.by_name["plain"].offer(version, whole, facts, [outputs[at] for at in (1, 3)], (1, 3))
    explainers.close()
    plane.log.close()
    assert [(row["row"], row["prediction"]) for row in explained(store, tmp_path)] == [(1, 4.0), (3, 6.0)]


def test_which_requests_are_drawn_follows_from_their_ids(store, tmp_path, offering):
    explainers, _, version, plane = offering(0.25, Known(0.0))
    ids = [f"request-{at}" for at in range(200)]
    for each in ids:
        explainers.by_name["plain"].offer(version, *batch([each]))
    explainers.close()
    plane.log.close()
    expected = sorted(each for each in ids if chosen(each, 0.25))
    assert [row["request_id"] for row in explained(store, tmp_path)] == expected
    assert 25 < len(expected) < 75
    assert {each for each in ids if chosen(each, 0.1)} < set(expected)


def test_without_a_share_nothing_is_done(store, tmp_path, offering):
    explainers, meter, version, plane = offering(0.0, Known(0.0))
    explainers.by_name["plain"].offer(version, *batch(["a"]))
    explainers.close()
    plane.log.close()
    assert explained(store, tmp_path) == []
    assert not meter.counters["explained"]


def test_rows_beyond_the_limit_are_left_out_and_counted(store, tmp_path, offering):
    engine = Known(0.0)
    explainers, meter, version, _ = offering(1.0, engine)
    engine.gate.clear()
    explainers.by_name["plain"].offer(version, *batch(["a"], rows=WAITING))
    explainers.by_name["plain"].offer(version, *batch(["b"], rows=500))
    engine.gate.set()
    explainers.close()
    done, dropped = meter.counters["explained"]["plain", "sampled"], meter.counters["explain_dropped"]["plain",]
    assert done + dropped == WAITING + 500
    assert dropped >= 490


@pytest.mark.parametrize("engine", [world.Sum(0.0), Known(-1.0)], ids=["can't explain", "fails"])
def test_what_can_not_be_explained_is_counted_and_breaks_nothing(offering, engine):
    explainers, meter, version, _ = offering(1.0, engine)
    explainers.by_name["plain"].offer(version, *batch(["a", "b", "c"]))
    explainers.close()
    assert meter.counters["explain_failed"]["plain",] == 3


def test_ending_explains_what_waits(store, offering):
    explainers, meter, version, _ = offering(1.0, Known(0.0))
    for at in range(100):
        explainers.by_name["plain"].offer(version, *batch([f"r{at}"]))
    explainers.close()
    assert meter.counters["explained"]["plain", "sampled"] == 100


def test_a_row_offered_as_the_lane_falls_idle_is_not_left_behind(offering):
    explainers, meter, version, _ = offering(1.0, Known(0.0))
    done = meter.counters["explained"]
    for at in range(300):
        explainers.by_name["plain"].offer(version, *batch([f"r{at}"]))
        until = time.monotonic() + 5
        while done["plain", "sampled"] <= at:
            assert time.monotonic() < until
