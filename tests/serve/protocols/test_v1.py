from __future__ import annotations

import json

import pytest

from serve import world
from serve.fakes import door
from serve.protocols.asking import BAD_BODIES, send, told
from serve.world import instance

PREDICT = "/v1/models/plain:predict"


@pytest.fixture
def served(tmp_path):
    with door(world.make(tmp_path), tmp_path / "log", max_rows=5) as made:
        yield made


COLUMNS = {"flight_id": ["f1", "f2"], "carrier": ["UA", "AA"], "distance": [100.0, 1], "seats": [5, None]}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"instances": [instance(), instance(seats=None)]}, {"predictions": [106.0, 101.0]}),
        ({"instances": [instance()], "parameters": {"confidence": 0.5}}, {"predictions": [106.0]}),
        ({"instances": [instance()], "signature_name": "serving_default"}, {"predictions": [106.0]}),
        ({"inputs": [instance()]}, {"predictions": [106.0]}),
        ({"inputs": COLUMNS, "signature_name": "serving_default"}, {"outputs": [106.0, 1.0]}),
    ],
)
def test_rows_or_columns_in_predictions_out(served, body, answer):
    assert served.post(PREDICT, body) == (200, answer)


def test_headers_tell_what_the_body_has_no_place_for(served):
    wire = send(served, PREDICT, {"instances": [instance()]}, x_drivetrain_request_id="mine 1")
    headers = dict(wire.headers)
    assert headers["x-drivetrain-request-id"] == "mine%201"
    assert headers["x-drivetrain-model-version"] == "1"
    status, answer = told(send(served, PREDICT, {"instances": [instance()]}, x_drivetrain_request_id="x" * 300))
    assert (status, answer["error"]) == (
        422,
        "x-drivetrain-request-id is too long; found 300 characters; expected at most 200.",
    )


def test_the_version_may_be_named_if_it_is_the_one(served):
    body = {"instances": [instance()]}
    assert served.post("/v1/models/plain/versions/1:predict", body)[0] == 200
    assert served.get("/v1/models/plain/versions/1")[1]["ready"] is True
    assert served.post("/v1/models/plain/versions/7:predict", body) == (
        404,
        {"error": "model plain is not served in that version; found 7; expected 1."},
    )


def test_models_and_their_state(served):
    assert served.get("/v1/models") == (200, {"models": ["plain", "timed"]})
    status, about = served.get("/v1/models/plain")
    assert (status, about["name"], about["ready"]) == (200, "plain", True)
    assert about["model_version_status"] == [
        {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]


def test_without_a_champion_a_model_is_not_ready(tmp_path):
    with door(world.fresh_store(tmp_path), tmp_path / "log") as empty:
        for answer in (empty.get("/v1/models/plain"), empty.post(PREDICT, {"instances": [instance()]})):
            assert answer[0] == 503
            assert "no champion of model plain" in answer[1]["error"]


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_bodies_that_can_not_be_read_are_named(served, body):
    status, answer = served.post(PREDICT, body)
    assert status in {400, 422}
    assert isinstance(answer["error"], str)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "one of instances and inputs; found neither"),
        ({"instances": [instance()], "inputs": []}, 422, "found instances and inputs"),
        ({"instances": [instance()], "context": {}}, 422, "unknown field `context`"),
        ({"instances": []}, 422, "instances is empty"),
        ({"instances": [instance()] * 6}, 413, "too many rows"),
        ({"instances": {}}, 422, "Expected `array`"),
        ({"instances": [[1, 2]]}, 422, "instances[0] is not an object; found [1,2]; expected fields flight_id"),
        ({"instances": [instance(), {}]}, 422, "instances[1] lacks flight_id"),
        ({"inputs": [instance(distance="far")]}, 422, 'inputs[0].distance is of the wrong type; found "far"'),
        ({"inputs": {}}, 422, "the column flight_id is missing; expected a string"),
        ({"inputs": COLUMNS | {"odd": [1, 2]}}, 422, 'inputs[4] is no field of the endpoint; found "odd"'),
        ({"inputs": COLUMNS | {"seats": [1]}}, 422, "inputs differ in length"),
        ({"inputs": COLUMNS | {"distance": [1, "far"]}}, 422, 'rows[1].distance is of the wrong type; found "far"'),
        ({"inputs": {name: [] for name in COLUMNS}}, 422, "rows is empty"),
    ],
)
def test_what_does_not_fit_is_named(served, body, status, words):
    found, answer = served.post(PREDICT, body)
    assert (found, list(answer)) == (status, ["error"])
    assert words in answer["error"]


def test_errors_have_the_protocols_shape_where_nothing_is_found_too(served):
    for path in ("/v1/models/none:predict", "/v1/models/none", "/v2/models/none/infer"):
        status, answer = served.post(path, json.dumps({}).encode())
        assert status in {404, 405}
        assert isinstance(answer["error"], str)
    assert served.get(PREDICT)[0] == 405
    assert set(served.get("/v1/elsewhere")[1]["error"]) == {"message", "field", "found", "expected"}
