"""What the log keeps: nothing secret, a sample with known weights where one is asked for, rows as long as they may."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from scipy.stats import binomtest

from drivetrain.core.clock import DAY, now
from drivetrain.core.errors import ProjectError, SettingsError
from drivetrain.core.records import Feedback
from drivetrain.core.settings import load_settings
from drivetrain.serve.log.columns import (
    feedback_frame,
    feedback_table,
    predictions_frame,
    predictions_of,
    predictions_table,
)
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.log.retain import retain
from serve import world
from serve.fakes import door
from serve.records import prediction
from serve.routing.test_router import SPLIT, logged

PATH = "/v1/endpoints/plain/predict"


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    yield opened
    opened.close()


def secret(name):
    return replace(
        world.PLAIN,
        fields=tuple(replace(field, privacy="secret") if field.name == name else field for field in world.FIELDS),
    )


def test_a_secret_field_is_predicted_from_and_not_kept(store, tmp_path):
    world.add_version(store, "plain", 2, 10.0)
    world.point(store, "plain", "shadow", 2)
    with door(store, tmp_path / "log", plans=[secret("carrier")]) as ask:
        assert ask.post(PATH, {"instances": [world.instance(carrier="AA")]})[1]["predictions"] == [105.0]
        assert ask.post(PATH, {"instances": [world.instance(carrier="UA")]})[1]["predictions"] == [106.0]
    entries = logged(tmp_path / "log")
    assert {entry.role for entry in entries} == {"champion", "shadow"}
    assert {json.loads(bytes(entry.request))["carrier"] for entry in entries} == {"(withheld)"}
    assert not any(b'"UA"' in path.read_bytes() for path in (tmp_path / "log").rglob("*") if path.is_file())


def test_predictions_are_not_named_by_what_is_secret(store, tmp_path):
    with pytest.raises(ProjectError, match="which is secret"), door(store, tmp_path / "l", plans=[secret("flight_id")]):
        pass


def test_a_sample_says_how_many_each_stands_for(store, tmp_path):
    asked = [{"instances": [world.instance()], "request_id": f"r{at}"} for at in range(600)]
    with door(store, tmp_path / "log", plans=[world.PLAIN], log_share=0.25) as ask:
        assert all(ask.post(PATH, body)[0] == 200 for body in asked)
        for body in asked:  # sent again, they are what they were
            ask.post(PATH, body)
    ids = [entry.request_id for entry in logged(tmp_path / "log")]
    assert sorted(ids) == sorted(2 * sorted(set(ids)))
    assert binomtest(len(set(ids)), 600, 0.25).pvalue > 1e-4
    assert {entry.weight for entry in logged(tmp_path / "log")} == {4.0}


def test_an_experiment_is_logged_whole(store, tmp_path):
    world.add_version(store, "plain", 2, 1000.0)
    store.catalog.commit(SPLIT)
    with door(store, tmp_path / "log", plans=[world.PLAIN], log_share=0.01) as ask:
        for at in range(20):
            ask.post(PATH, {"instances": [world.instance(carrier=f"c{at}")]})
    assert [entry.weight for entry in logged(tmp_path / "log")] == [1.0] * 20


def test_what_is_null_stays_null():
    kept = Keeping(["a"], 1.0).request(msgspec.Raw(b'{"a": null, "b": 1}'))
    assert json.loads(msgspec.msgpack.decode(bytes(kept))) == {"a": None, "b": 1}


def test_rows_older_than_they_may_be_are_deleted(store):
    moments = [now() - days * DAY for days in (40, 31, 29, 1)]
    store.tables.append(
        predictions_table("plain"), predictions_frame([prediction(request_id=str(at), at=at) for at in moments])
    )
    labels = [Feedback(endpoint="plain", label=1.0, at=at, logged_at=at, request_id=str(at)) for at in moments]
    store.tables.append(feedback_table("plain"), feedback_frame(labels))
    assert retain(store, "plain", now() - 30 * DAY) == 4
    left = store.tables.read(predictions_table("plain"))
    assert {entry.at for entry in predictions_of(left)} == set(moments[2:])
    assert retain(store, "plain", now() - 30 * DAY) == 0
    assert retain(store, "unknown", now()) == 0


def test_a_share_of_nothing_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="log_share"):
        load_settings(tmp_path, {"DRIVETRAIN_SERVE__LOG_SHARE": "0"})
