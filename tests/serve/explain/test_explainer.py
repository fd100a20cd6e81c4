from __future__ import annotations

import asyncio
import math
import sys
import threading
import time

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core.errors import StoreError
from drivetrain.core.link import link_of
from drivetrain.registry.load import load_engine
from drivetrain.serve.log.segment import segments
from drivetrain.store.blobs import FileBlobs
from drivetrain.testing.trainer import SCHEMA
from drivetrain.train.background import load_background
from serve import world
from serve.explain.models import ENCODED, INSTANCES, PLAN, exact_shapley, trained
from serve.fakes import door
from serve.world import instance

EXPLAIN = "/v1/endpoints/late/explain"
PREDICT = "/v1/endpoints/late/predict"
UNITS = {
    "trees": ("log-odds", "exact", "logistic"),
    "trees of a value": ("target", "exact", "identity"),
    "trees of a count": ("log of the target", "exact", "log"),
    "trees of classes": ("log-odds", "exact", "softmax"),
    "a linear graph": ("log-odds", "exact", "logistic"),
    "a linear value": ("target", "exact", "identity"),
    "a forest": ("probability", "sampled", "identity"),
    "a forest of classes": ("probability", "sampled", "identity"),
    "a forest of a value": ("target", "sampled", "identity"),
    "LightGBM's forest": ("probability", "sampled", "identity"),
}


@pytest.fixture
def store(tmp_path):
    return world.fresh_store(tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def late(store, folder, **settings):
    return door(store, folder, plans=[PLAN], load=load_engine, **settings)


def sums(row):
    return row.get("classes", [row])


@pytest.mark.parametrize("name", UNITS)
def test_contributions_add_up_to_what_the_endpoint_answers(store, folder, name):
    trained(store, name)
    unit, method, link = UNITS[name]
    with late(store, folder) as served:
        status, told = served.post(EXPLAIN, {"instances": INSTANCES, "request_id": "mine"})
        predictions = served.post(PREDICT, {"instances": INSTANCES})[1]["predictions"]
    assert status == 200, told
    assert (told["unit"], told["method"], told["request_id"], told["model_version"]) == (unit, method, "mine", 1)
    margins = []
    for given, row, prediction in zip(INSTANCES, told["explanations"], predictions, strict=True):
        assert row["prediction"] == pytest.approx(prediction)
        margins.append([each["margin"] for each in sums(row)])
        for each in sums(row):
            added = each["contributions"]
            assert {one["feature"]: one["value"] for one in added} == given
            assert sum(one["contribution"] for one in added) + each["base"] == pytest.approx(each["margin"])
            sizes = [abs(one["contribution"]) for one in added]
            assert sizes == sorted(sizes, reverse=True)
            assert all(("error" in one) == (method == "sampled") for one in added)
            assert all(one["sentence"].startswith(f"{one['feature']} is ") for one in added)
    answers = [row if isinstance(row, list) else [row] for row in predictions]
    assert link_of(margins, answers) == link
    assert [each.get("class") for each in sums(told["explanations"][0])] == (
        [0, 1, 2, 3] if "classes" in name else [None]
    )


def contributions(told, number=0):
    found = {one["feature"]: one for one in told["explanations"][number]["contributions"]}
    return [found[name] for name in SCHEMA.names]


def test_trees_say_what_their_library_says(store, folder):
    version = trained(store, "trees")
    booster = sys.modules["lightgbm"].Booster(model_file=str(store.blobs.path(version.artifacts[0].digest)))
    expected = booster.predict(np.array(ENCODED), pred_contrib=True, num_threads=1)
    with late(store, folder) as served:
        _, told = served.post(EXPLAIN, {"instances": INSTANCES})
    for at in range(len(INSTANCES)):
        found = [one["contribution"] for one in contributions(told, at)]
        assert [*found, told["explanations"][at]["base"]] == expected[at].tolist()


def test_a_forest_is_explained_as_every_set_of_features_would(store, folder):
    """Against the definition, within the errors that are told beside the estimates."""
    version = trained(store, "a forest")
    background = np.array(load_background(store.blobs, version.artifacts).rows)
    engine = load_engine(store, version)
    with late(store, folder) as served:
        _, told = served.post(EXPLAIN, {"instances": INSTANCES})
        assert served.post(EXPLAIN, {"instances": INSTANCES})[1]["explanations"] == told["explanations"]
    for at, row in enumerate(ENCODED):
        expected = exact_shapley(engine.predict, background, row)
        for one, value in zip(contributions(told, at), expected, strict=True):
            assert abs(one["contribution"] - value) <= 4.5 * one["error"] + 1e-6
        assert max(one["error"] for one in contributions(told, at)) < 0.02


def test_words_for_what_is_known_unknown_and_new(store, folder):
    trained(store, "trees")
    with late(store, folder) as served:
        _, told = served.post(EXPLAIN, {"instances": INSTANCES})
    first, second = ({one["feature"]: one["sentence"] for one in contributions(told, at)} for at in range(2))
    assert first["delay"].startswith("delay is 42: raises the odds by a factor of ")
    assert first["night"].startswith("night is true: ")
    assert second["delay"].startswith("delay is unknown: ")
    assert second["carrier"].startswith("carrier is ZZ, never seen in training: ")


def test_a_model_served_in_a_form_that_can_not_tell_is_explained_by_the_one_beside_it(store, folder):
    """Trees served as some other engine, their own file kept second."""
    trained(store, "trees")

    class Mute:
        def __init__(self, engine):
            self.predict, self.predict_row = engine.predict, engine.predict_row

        def explain(self, rows):
            return None

    def mute(opened, version):
        return Mute(load_engine(opened, version))

    with late(store, folder) as served:
        expected = served.post(EXPLAIN, {"instances": INSTANCES})[1]["explanations"]
    again = world.fresh_store(folder.parent)
    version = trained(again, "trees", 2)
    again.catalog.commit(replace(version, artifacts=(version.artifacts[0], version.artifacts[0])))
    with door(again, folder, plans=[PLAN], load=mute) as served:
        status, told = served.post(EXPLAIN, {"instances": INSTANCES})
    assert (status, told["explanations"]) == (200, expected)


def test_a_version_that_keeps_nothing_to_be_explained_by_is_refused_plainly(store, folder):
    world.add_version(store, "plain", 1, 0.0)
    world.point(store, "plain", "champion", 1)
    with door(store, folder) as served:
        status, told = served.post("/v1/endpoints/plain/explain", {"instances": [instance()]})
    assert status == 422
    assert "plain@1 can't be explained" in told["error"]["message"]
    assert "Train the model again" in told["error"]["message"]


def test_a_damaged_background_is_no_mystery(store, folder, monkeypatch):
    trained(store, "a forest")

    def spoilt(self, digest):
        raise StoreError(f"blob {digest} is damaged")

    monkeypatch.setattr(FileBlobs, "get", spoilt)
    with late(store, folder) as served:
        assert served.post(EXPLAIN, {"instances": INSTANCES})[0] == 503
        assert served.post(PREDICT, {"instances": INSTANCES})[0] == 200


def test_nothing_is_answered_without_a_champion(store, folder):
    with late(store, folder) as served:
        status, told = served.post(EXPLAIN, {"instances": INSTANCES})
    assert (status, "no version to explain" in told["error"]["message"]) == (503, True)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"instances": INSTANCES * 3}, 413, "instances"),
        ({"instances": []}, 422, "instances"),
        ({"instances": [INSTANCES[0] | {"delay": "x"}]}, 422, "instances[0].delay"),
    ],
)
def test_what_does_not_fit_is_named_as_for_a_prediction(store, folder, body, status, field):
    trained(store, "a linear graph")
    with late(store, folder, explain_rows=8) as served:
        found, told = served.post(EXPLAIN, body)
    assert (found, told["error"]["field"]) == (status, field)


def test_explaining_logs_no_prediction_and_is_counted(store, folder):
    trained(store, "trees")
    with late(store, folder) as served:
        served.post(EXPLAIN, {"instances": INSTANCES})
        metrics = served.get("/metrics")[1]
        assert segments(folder / "late") == []
    assert 'drivetrain_explained_total{endpoint="late",why="asked"} 3.0' in metrics


class Slow(world.Sum):
    """Explains itself when it is let."""

    gate = threading.Event()

    def predict(self, rows):
        return np.nansum(np.asarray(rows), axis=1)

    def explain(self, rows):
        self.gate.wait(10)
        values = np.nan_to_num(np.asarray(rows))
        return np.column_stack([values, np.zeros(len(values))])


@pytest.fixture
def slow(store, folder):
    world.make(store_folder := folder.parent)
    Slow.gate = threading.Event()
    opened = world.fresh_store(store_folder)
    yield lambda **settings: door(opened, folder, load=lambda *_: Slow(0.0), **settings)
    Slow.gate.set()
    store.close()


def test_explanations_beyond_the_queue_are_refused_and_predictions_go_on(slow):
    async def story(served):
        body = b'{"instances": [{"flight_id": "f", "carrier": "UA", "distance": 1.0, "seats": 5}]}'
        asked = [asyncio.ensure_future(served.send("POST", "/v1/endpoints/plain/explain", body)) for _ in range(3)]
        await asyncio.sleep(0.05)
        refused = [task for task in asked if task.done()]
        assert [task.result().status for task in refused] == [429]
        predicted = await served.send("POST", "/v1/endpoints/plain/predict", body)
        Slow.gate.set()
        return predicted.status, sorted([(await task).status for task in asked])

    with slow(explain_queue=2) as served:
        assert served.loop.run_until_complete(story(served)) == (200, [200, 200, 429])


def test_an_explanation_that_takes_too_long_is_given_up(slow):
    with slow(explain_seconds=0.05) as served:
        threading.Timer(0.2, Slow.gate.set).start()
        began = time.monotonic()
        status, told = served.post("/v1/endpoints/plain/explain", {"instances": [instance()] * 20})
        assert status == 429
        assert "explaining takes too long" in told["error"]["message"]
        assert time.monotonic() - began < 5


class Broken(world.Sum):
    """Explains made-up rows, and fails on real ones, or says nonsense."""

    says = math.nan

    def predict(self, rows):
        return np.nansum(np.asarray(rows), axis=1)

    def explain(self, rows):
        values = np.column_stack([np.nan_to_num(np.asarray(rows)), np.zeros(len(rows))])
        return values if len(values) > 1 else np.full_like(values, self.says) if self.says else 1 / 0

    def predict_row(self, row):
        return 1.0


@pytest.mark.parametrize("says", [math.nan, math.inf, 0.0])
def test_a_model_that_fails_to_explain_is_one_plain_error(folder, says):
    world.make(folder.parent)
    broken = Broken(0.0)
    broken.says = says
    with door(world.fresh_store(folder.parent), folder, load=lambda *_: broken) as served:
        status, told = served.post("/v1/endpoints/plain/explain", {"instances": [instance()]})
    assert status == 500
    assert "plain@1" in told["error"]["message"]
