from __future__ import annotations

import os

import msgspec
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from drivetrain.core.records import Field, InputSchema
from drivetrain.serve.telemetry import Gauge, Meter, Snapshot, Tally, exposition
from drivetrain.serve.workers import Note, Workers
from serve import world

NOBODY = 2**22 + 1


def samples(text):
    families = text_string_to_metric_families(text.decode())
    return {(one.name, *sorted(one.labels.items())): one.value for family in families for one in family.samples}


def test_figures_of_workers_add_up(tmp_path):
    version = replace(
        world.add_version(world.fresh_store(tmp_path), "plain", 3, 0.0),
        input_schema=InputSchema((Field("a"), Field("b"))),
    )
    meters = [Meter(), Meter()]
    for meter, seconds in zip(meters, (0.0001, 0.3), strict=True):
        meter.answered("late", "predict", 200, seconds)
        tally = Tally(meter, "late", "champion", version, ("view", "other"))
        tally.count([[1.0, 1.0], [float("nan"), 1.0]], [[float("nan")] * 2, [60.0, float("nan")]])
    snapshots = [msgspec.json.decode(msgspec.json.encode(meter.snapshot()), type=Snapshot) for meter in meters]
    found = samples(exposition(snapshots, [Gauge("drivetrain_up", "Up.", ("endpoint",), [(("late",), 1.0)])]))
    late = ("endpoint", "late")
    assert found["drivetrain_requests_total", late, ("route", "predict"), ("status", "200")] == 2
    assert found["drivetrain_missing_features_total", late, ("feature", "a")] == 2
    assert found["drivetrain_predictions_total", late, ("role", "champion"), ("version", "3")] == 4
    assert found["drivetrain_batch_rows_sum", late] == 4
    assert found["drivetrain_predict_seconds_bucket", late, ("le", "0.00025")] == 1
    assert found["drivetrain_predict_seconds_bucket", late, ("le", "+Inf")] == 2
    assert found["drivetrain_predict_seconds_sum", late] == pytest.approx(0.3001)
    assert found["drivetrain_up", late] == 1
    ages = [value for key, value in found.items() if "age_seconds" in key[0] and ("view", "view") in key]
    assert sorted(ages) == [2.0, 120.0]


def test_levels_are_those_of_the_living(tmp_path):
    own = Workers(tmp_path)
    meter = Meter()
    meter.levels["queue"] = lambda: 3.0
    assert meter.snapshot().levels == {"queue": 3.0}
    for pid, waiting in ((NOBODY, 5.0), (1, 7.0)):
        note = Note(pid, os.getppid(), {}, Snapshot(levels={"queue": waiting}))
        (tmp_path / f".workers/{pid}.json").parent.mkdir(exist_ok=True)
        (tmp_path / f".workers/{pid}.json").write_bytes(msgspec.json.encode(note))
    assert [note.snapshot.levels for note in own.living()] == [{"queue": 7.0}]
    assert len(own.others()) == 2


def test_workers_tell_each_other_and_dead_ones_keep_counting(tmp_path):
    own = Workers(tmp_path)
    own.tell({"late": {"champion": 3, "shadow": None}}, Snapshot())
    counted = Snapshot(counters={"requests": [(("late", "predict", "200"), 5.0)]})
    dead = Note(NOBODY, os.getppid(), {"late": {"champion": 2}}, counted)
    (tmp_path / f".workers/{NOBODY}.json").write_bytes(msgspec.json.encode(dead))
    (tmp_path / ".workers/1.json").write_bytes(b"half a no")
    assert [one["champion"] for one in own.versions("late")] == [3]
    assert own.others() == [dead]


def test_notes_of_a_server_that_has_ended_are_swept_away(tmp_path):
    path = tmp_path / f".workers/{NOBODY}.json"
    path.parent.mkdir()
    path.write_bytes(msgspec.json.encode(Note(NOBODY, NOBODY, {})))
    Workers(tmp_path)
    assert not path.exists()


def test_a_worker_that_can_not_write_its_note_goes_on(tmp_path):
    (tmp_path / "log").write_text("in the way")
    own = Workers(tmp_path / "log")
    own.tell({}, Snapshot())
    assert own.versions("late") == []
