from __future__ import annotations

import asyncio
import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.app import Application
from drivetrain.serve.log.read import find
from serve import world
from serve.fakes import Scope, Wire, door
from serve.world import instance, timed

PLAIN = "/v1/endpoints/plain/predict"
TIMED = "/v1/endpoints/timed/predict"
LABELS = "/v1/endpoints/plain/feedback"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.fixture
def served(store, folder):
    with door(store, folder, max_rows=5, max_bytes=4096) as made:
        yield made


def error(answer):
    status, body = answer
    return status, body["error"]


def test_a_prediction_is_answered_and_in_the_log(served, store, folder):
    status, answer = served.post(PLAIN, {"instances": [instance()], "request_id": "mine"})
    assert (status, answer) == (200, {"predictions": [106.0], "request_id": "mine", "model_version": 1})
    (entry,) = find(store, folder, "mine")
    assert (entry.entity, entry.role, entry.values, entry.prediction) == ("f1", "champion", [100.0, 1.0, 5.0], 106.0)
    assert json.loads(bytes(entry.request)) == instance()
    assert entry.latency_us >= 0


def test_request_features_see_each_instance_at_its_own_moment(served, store, folder):
    rows = [timed(), timed(sched="2013-07-02T23:00:00+02:00", distance=1)]
    body = {"instances": rows, "request_id": "r", "at": ["2013-07-01T07:30:00Z", "2013-07-02"]}
    status, answer = served.post(TIMED, body)
    assert (status, answer["predictions"]) == (200, [9 + 100 + 1, 21 + 1 + 2])
    assert [entry.at for entry in find(store, folder, "r")] == [1372663800000000, 1372723200000000]


def test_a_null_is_unknown_and_an_unseen_category_too(served):
    assert served.post(PLAIN, {"instances": [instance(seats=None)]})[1]["predictions"] == [101.0]
    assert served.post(PLAIN, {"instances": [instance(carrier="ZZ")]})[1]["predictions"] == [105.0]
    text = served.get("/metrics")[1]
    assert 'drivetrain_missing_features_total{endpoint="plain",feature="seats"} 1.0' in text


def test_requests_that_arrive_together_are_one_batch(served):
    async def together():
        bodies = [json.dumps({"instances": [timed(distance=at)]}).encode() for at in range(20)]
        return await asyncio.gather(*(served.send("POST", TIMED, body) for body in bodies))

    wires = served.loop.run_until_complete(together())
    assert [json.loads(wire.body)["predictions"] for wire in wires] == [[9 + at + 1] for at in range(20)]
    assert 'drivetrain_batches_total{endpoint="timed"} 1.0' in served.get("/metrics")[1]


@pytest.mark.parametrize(
    ("body", "status", "field", "words"),
    [
        (b"{", 400, None, "not JSON"),
        (b"\xff\xfe", 400, None, "not JSON"),
        (b'{"instances": ' + b"[" * 3000, 400, None, "not JSON"),
        (b"[]", 422, None, "Expected `object`"),
        ({"rows": []}, 422, None, "`rows`"),
        ({"instances": {}}, 422, "instances", "Expected `array`"),
        ({"instances": []}, 422, "instances", "empty"),
        ({"instances": [1]}, 422, "instances[0]", "not an object"),
        ({"instances": [instance()] * 6}, 413, "instances", "too many rows"),
        ({"instances": [instance(), {"flight_id": "f"}]}, 422, "instances[1].carrier", "lacks carrier"),
        ({"instances": [instance(carier="UA")]}, 422, "instances[0].carier", "'carrier' is meant"),
        ({"instances": [instance(distance="far")]}, 422, "instances[0].distance", 'found "far"; expected a number'),
        ({"instances": [instance(carrier=None)]}, 422, "instances[0].carrier", "expected a string"),
        ({"instances": [instance(seats=2**63)]}, 422, "instances[0].seats", "64-bit integer or null"),
        ({"instances": [instance(seats=1.5)]}, 422, "instances[0].seats", "found 1.5"),
        ({"instances": [instance()], "at": "yesterday"}, 422, "at", "no moment"),
        ({"instances": [instance()], "at": []}, 422, "at", "does not match"),
        ({"instances": [instance()], "at": ["2013-01-01", "x"]}, 422, "at", "2 moments"),
        ({"instances": [instance()], "request_id": "x" * 300}, 422, "request_id", "too long"),
        ({"instances": [instance()], "request_id": 7}, 422, "request_id", "Expected `str`"),
    ],
)
def test_what_does_not_fit_is_named(served, body, status, field, words):
    found, told = error(served.post(PLAIN, body))
    assert (found, told["field"]) == (status, field)
    assert words in told["message"]


def test_a_time_that_is_none_is_named(served):
    status, told = error(served.post(TIMED, {"instances": [timed(sched="half past nine")]}))
    assert (status, told["field"], told["found"]) == (422, "instances[0].sched", '"half past nine"')


def test_bodies_that_are_too_large_are_refused_before_they_are_read(served):
    body = b" " * 5000
    assert error(served.post(PLAIN, body))[0] == 413
    assert error(served.ask("POST", PLAIN, body, chunked=True))[0] == 413
    assert served.ask("POST", PLAIN, {"instances": [instance()]}, chunked=True)[0] == 200


def test_paths_and_methods_that_are_not_there(served):
    status, told = error(served.get("/v1/endpoints/none"))
    assert (status, told["found"]) == (404, "/v1/endpoints/none")
    assert "/v1/endpoints/plain/predict" in told["expected"]
    assert error(served.get(PLAIN))[0] == 405
    assert error(served.get(PLAIN))[1]["expected"] == "POST"


def test_at_is_refused_where_it_is_not_allowed(store, folder):
    with door(store, folder, allow_at=False) as made:
        status, told = error(made.post(PLAIN, {"instances": [instance()], "at": "2013-01-01"}))
        assert (status, told["field"]) == (422, "at")
        assert "allow_at" in told["message"]


def test_more_than_may_wait_is_answered_429_at_once(store, folder):
    with door(store, folder, queue=3) as made:

        async def flood():
            body = json.dumps({"instances": [timed()]}).encode()
            return await asyncio.gather(*(made.send("POST", TIMED, body) for _ in range(10)))

        wires = made.loop.run_until_complete(flood())
        assert sorted(wire.status for wire in wires) == [200] * 3 + [429] * 7
        refused = next(wire for wire in wires if wire.status == 429)
        assert ("retry-after", "1") in refused.headers
        assert made.post(TIMED, {"instances": [timed()]})[0] == 200


def test_slow_answers_are_counted_where_they_wait(store, folder):
    """A model that holds up the event loop would otherwise hide who waits."""

    class Slow(world.Sum):
        def predict_row(self, row):
            time.sleep(0.003)
            return super().predict_row(row)

    with door(store, folder, queue=3, load=lambda *_: Slow(0.0)) as made:

        async def flood():
            body = json.dumps({"instances": [instance()]}).encode()
            return await asyncio.gather(*(made.send("POST", PLAIN, body) for _ in range(5)))

        wires = made.loop.run_until_complete(flood())
        assert sorted(wire.status for wire in wires) == [200] * 3 + [429] * 2
        assert made.post(PLAIN, {"instances": [instance()]})[0] == 200


def test_more_than_twice_the_queue_is_refused_before_it_is_read(store, folder):
    """Whose body has not come yet is seen, too."""
    with door(store, folder, queue=3) as made:

        async def arriving():
            gate = asyncio.Event()

            class Slow(Wire):
                async def __call__(self):
                    await gate.wait()
                    return b""

            wires = [Slow(b"") for _ in range(8)]
            head = Scope("POST", PLAIN, {"content-length": "0"})
            asked = [asyncio.ensure_future(made.app.__rsgi__(head, wire)) for wire in wires]
            await asyncio.sleep(0.01)
            seen = [wire.status for wire in wires]
            for _ in range(200):  # until it is seen that they keep us waiting, which is no reason to refuse others
                if made.app._intake.slow == 6:
                    break
                await asyncio.sleep(0.05)
            good = await made.send("POST", PLAIN, json.dumps({"instances": [instance()]}).encode())
            gate.set()
            await asyncio.gather(*asked)
            return seen, good.status

        assert made.loop.run_until_complete(arriving()) == ([0] * 6 + [429] * 2, 200)
        assert made.post(PLAIN, {"instances": [instance()]})[0] == 200


def test_no_champion_is_503_until_there_is_one(tmp_path, folder):
    empty = world.fresh_store(tmp_path)
    with door(empty, folder) as made:
        status, told = error(made.post(PLAIN, {"instances": [instance()]}))
        assert status == 503
        assert "no champion of model plain" in told["message"]
        assert made.get("/v2/health/ready")[0] == 503
        assert made.get("/v2/health/live") == (200, {"live": True})
        assert made.get("/healthz")[1]["ready"] is False


def test_a_model_that_fails_is_a_plain_500_and_nothing_is_logged(store, folder):
    world.add_version(store, "plain", 2, -1.0)
    world.point(store, "plain", "champion", 2)
    with door(store, folder) as made:
        status, told = error(made.post(PLAIN, {"instances": [instance()], "request_id": "r"}))
        assert (status, told["message"].split(";")[0]) == (
            500,
            "plain@2 failed: this model always fails. Ask whoever owns the model.",
        )
        assert find(store, folder, "r") == []


def test_a_prediction_that_is_no_number_is_never_given(store, folder):
    world.add_version(store, "plain", 2, math.inf)
    world.point(store, "plain", "champion", 2)
    with door(store, folder) as made:
        assert error(made.post(PLAIN, {"instances": [instance()]}))[0] == 500


def test_a_log_that_can_not_be_written_is_503_and_nothing_is_acknowledged(served, folder):
    (folder / "plain").parent.mkdir(parents=True, exist_ok=True)
    (folder / "plain").write_text("in the way")
    status, told = error(served.post(PLAIN, {"instances": [instance()]}))
    assert status == 503
    assert "prediction log" in told["message"]
    (folder / "plain").unlink()
    assert served.post(PLAIN, {"instances": [instance()]})[0] == 200
    assert 'drivetrain_log_refused_total{endpoint="plain"} 1.0' in served.get("/metrics")[1]


def test_labels_are_taken(served):
    labels = [{"entity": "f1", "label": True}, {"request_id": "r", "row": 1, "label": 0.5, "at": "2013-07-01"}]
    assert served.post(LABELS, {"feedback": labels}) == (200, {"accepted": 2})


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ({"label": 1}, "feedback[0]"),
        ({"label": 1, "request_id": "r", "row": -1}, "feedback[0].row"),
        ({"label": 1, "entity": "f", "at": "?"}, "feedback[0].at"),
        ({"label": "late", "entity": "f"}, "feedback[0].label"),
    ],
)
def test_labels_that_do_not_fit_are_named(served, label, field):
    status, told = error(served.post(LABELS, {"feedback": [label]}))
    assert (status, told["field"]) == (422, field)


def test_disk_durability_answers_after_the_sync(store, folder):
    with door(store, folder, durability="disk") as made:
        assert made.post(PLAIN, {"instances": [instance()], "request_id": "r"})[0] == 200
        assert made.post(LABELS, {"feedback": [{"entity": "f1", "label": 1}]})[0] == 200
    assert len(find(world.fresh_store(store.folder), folder, "r")) == 1


def test_memory_durability_is_written_at_the_end(store, folder):
    with door(store, folder, durability="memory") as made:
        assert made.post(PLAIN, {"instances": [instance()], "request_id": "r"})[0] == 200
    assert len(find(world.fresh_store(store.folder), folder, "r")) == 1


def test_the_endpoint_says_what_it_is(served):
    status, about = served.get("/v1/endpoints/timed")
    assert (status, about["versions"]) == (200, {"champion": 1, "shadow": None})
    assert [field["name"] for field in about["request"]] == ["flight_id", "carrier", "distance", "seats", "sched"]
    assert about["features"] == ["calendar.hour", "distance", "calendar.weekday"]
    assert [worker["champion"] for worker in about["workers"]] == [1]
    assert served.get("/v1/endpoints") == (200, {"endpoints": ["plain", "timed"]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(["flight_id", "carrier", "distance", "seats", "sched", "odd"])
near_instances = st.dictionaries(fields, json_values, max_size=6) | st.builds(
    lambda changes: timed(**changes), st.dictionaries(fields, json_values, max_size=2)
)
near_bodies = st.fixed_dictionaries(
    {"instances": st.lists(near_instances | json_values, max_size=4)},
    optional={"at": json_values, "request_id": json_values, "extra": json_values},
)
tensors = st.fixed_dictionaries(
    {"name": fields, "shape": json_values | st.just([1]), "datatype": st.sampled_from(["BYTES", "FP64", "INT64", "?"])},
    optional={"data": json_values},
)
infer_bodies = st.fixed_dictionaries({"inputs": st.lists(tensors, max_size=6)}, optional={"parameters": json_values})
paths = st.sampled_from([PLAIN, TIMED, LABELS, "/v2/models/timed/infer", "/v2/models/plain/infer", "/metrics", "/?"])


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    place = tmp_path_factory.mktemp("fuzz")
    with door(world.make(place), place / "log") as made:
        yield made


def check_plain(answer):
    status, body = answer
    assert status < 500, body
    if status >= 400:
        assert "Traceback (most" not in str(body)
        assert body["error"]


@settings(max_examples=400, deadline=None)
@given(paths, near_bodies | infer_bodies | json_values)
def test_no_json_body_is_the_servers_fault(fuzzed, path, body):
    check_plain(fuzzed.post(path, json.dumps(body).encode()))


@settings(max_examples=300, deadline=None)
@given(paths, st.binary(max_size=60), st.integers(0, 200))
def test_no_broken_body_is_the_servers_fault(fuzzed, path, noise, at):
    whole = json.dumps({"instances": [timed()]}).encode()
    check_plain(fuzzed.post(path, whole[:at] + noise + whole[at:]))
    check_plain(fuzzed.post(path, whole[:at]))


def test_an_application_closes_what_it_opened(store, folder):
    app = Application([world.PLAIN], store, ServeSettings(), folder, load=world.load)
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    app.__rsgi_del__(loop)
    loop.close()
