from __future__ import annotations

import pytest

from serve import world
from serve.fakes import door
from serve.world import instance

INFER = "/v2/models/plain/infer"
TYPES = {"flight_id": "BYTES", "carrier": "BYTES", "distance": "FP64", "seats": "INT64"}


@pytest.fixture
def served(tmp_path):
    with door(world.make(tmp_path), tmp_path / "log") as made:
        yield made


def tensors(*rows, **changed):
    made = [
        {"name": name, "shape": [len(rows)], "datatype": kind, "data": [row[name] for row in rows]}
        for name, kind in TYPES.items()
    ]
    return [tensor | changed if tensor["name"] == "distance" else tensor for tensor in made]


def test_tensors_in_one_tensor_out(served):
    body = {"id": "mine", "inputs": tensors(instance(), instance(distance=1.0)), "outputs": [{"name": "predict"}]}
    assert served.post(INFER, body) == (
        200,
        {
            "model_name": "plain",
            "model_version": "1",
            "id": "mine",
            "outputs": [{"name": "predict", "datatype": "FP64", "shape": [2], "data": [106.0, 7.0]}],
        },
    )


def test_a_column_of_one_is_a_vector(served):
    body = {"inputs": tensors(instance(), shape=[1, 1], data=[[100.0]])}
    assert served.post(INFER, body)[1]["outputs"][0]["data"] == [106.0]


def test_the_version_may_be_named_if_it_is_the_one(served):
    body = {"inputs": tensors(instance())}
    assert served.post("/v2/models/plain/versions/1/infer", body)[0] == 200
    assert served.get("/v2/models/plain/versions/1/ready")[0] == 200
    assert served.get("/v2/models/plain/versions/1")[1]["name"] == "plain"
    status, told = served.post("/v2/models/plain/versions/2/infer", body)
    assert (status, told) == (404, {"error": "model plain is not served in that version; found 2; expected 1."})


def test_what_the_model_is(served):
    about = served.get("/v2/models/plain")[1]
    assert about["versions"] == ["1"]
    assert [(tensor["name"], tensor["datatype"]) for tensor in about["inputs"]] == list(TYPES.items())
    assert served.get("/v2")[1]["name"] == "drivetrain"
    assert served.get("/v2/health/ready") == (200, {"ready": True})
    assert served.get("/v2/models/plain/ready")[0] == 200


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([], "the input flight_id is missing; expected BYTES"),
        ([{"name": "odd", "shape": [1], "datatype": "FP64", "data": [1]}], 'found "odd"'),
        (tensors(instance()) * 2, "comes twice"),
        (tensors(instance(), datatype="BYTES"), "expected BF16 or FP16 or FP32 or FP64 or INT16"),
        (tensors(instance(), shape=[2]), "[2] with 1 values"),
        (tensors(instance(), shape=[1, 2]), "shape that does not fit"),
        (tensors(instance(), shape=[2], data=[1.0, 2.0]), "differ in length"),
        (tensors(instance(), data=["far"]), 'found "far"; expected a number'),
        (tensors(instance(), data=[None]), "expected a number"),
    ],
)
def test_tensors_that_do_not_fit_are_named(served, inputs, words):
    status, told = served.post(INFER, {"inputs": inputs})
    assert status == 422
    assert words in told["error"]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"outputs": [{"name": "other"}]}, "no such output"),
        ({"parameters": {"at": 7}}, "parameters.at is no time"),
        ({"parameters": {"at": "never"}}, "no moment"),
    ],
)
def test_the_rest_of_the_body_is_checked_too(served, extra, words):
    status, told = served.post(INFER, {"inputs": tensors(instance())} | extra)
    assert status == 422
    assert words in told["error"]
