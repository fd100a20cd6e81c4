from __future__ import annotations

import json

import pytest

from serve import world
from serve.fakes import door
from serve.protocols.asking import BAD_BODIES, send, told
from serve.world import instance

NAMES = list(instance())
SPLIT = {"columns": NAMES, "data": [list(instance().values()), list(instance(seats=None).values())]}
TABLE = "flight_id,carrier,distance,seats\nf1,UA,100,5\nf2,AA,1.5,\n"
CSV = "text/csv; charset=utf-8"


@pytest.fixture
def served(tmp_path):
    with door(world.make(tmp_path), tmp_path / "log", plans=[world.PLAIN]) as made:
        yield made


@pytest.fixture
def several(tmp_path):
    with door(world.make(tmp_path), tmp_path / "log") as made:
        yield made


@pytest.mark.parametrize(
    ("body", "predictions"),
    [
        ({"dataframe_split": SPLIT}, [106.0, 101.0]),
        ({"dataframe_split": SPLIT | {"index": [0, 1]}, "params": {"temperature": 1}}, [106.0, 101.0]),
        ({"dataframe_records": [instance(), instance(seats=None)]}, [106.0, 101.0]),
        ({"instances": [instance()]}, [106.0]),
        ({"inputs": {name: [value] for name, value in instance().items()}}, [106.0]),
        ({"inputs": [instance()]}, [106.0]),
    ],
)
def test_every_form_of_table_is_scored(served, body, predictions):
    for kind in ("application/json", "application/json; charset=UTF-8"):
        assert told(send(served, "/invocations", body, content_type=kind)) == (200, {"predictions": predictions})


def test_csv_in_and_as_asked_out(served):
    wire = send(served, "/invocations", TABLE.encode(), content_type=CSV)
    assert told(wire) == (200, {"predictions": [106.0, 1.5]})
    wire = send(served, "/invocations", TABLE.encode(), content_type=CSV, accept="text/csv")
    assert (wire.status, wire.body) == (200, b"predict\n106.0\n1.5\n")
    headers = dict(wire.headers)
    assert headers["content-type"].startswith("text/csv")
    assert headers["x-drivetrain-model-version"] == "1"


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("text/csv", True),
        ("TEXT/CSV; q=0.9, */*; q=0.1", True),
        ("application/json;q=0.5, text/csv;q=0.6", True),
        ("application/json, text/csv", False),
        ("text/csv;q=0", False),
        ("text/csv;q=much", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_the_answer_is_csv_where_that_is_preferred(served, accept, csv):
    wire = send(served, "/invocations", {"instances": [instance()]}, accept=accept)
    assert wire.body.startswith(b"predict\n") is csv


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("application/x-npy", "expected application/json or text/csv"),
        ("text/csv; charset=latin-1", 'found "latin-1"; expected utf-8'),
        ("text/csv; header=absent", "no header line"),
        (";;;", "bodies of this type"),
    ],
)
def test_other_types_of_body_are_415(served, kind, words):
    status, answer = told(send(served, "/invocations", TABLE.encode(), content_type=kind))
    assert (status, answer["field"]) == (415, "content-type")
    assert words in answer["message"]


@pytest.mark.parametrize("header", ["x-drivetrain-endpoint", "X-Amzn-SageMaker-Target-Model"])
def test_a_header_says_which_endpoint_is_meant(several, header):
    body = {"instances": [instance()]}
    assert told(send(several, "/invocations", body, **{header.lower(): "plain"}))[0] == 200
    status, answer = told(send(several, "/invocations", body, **{header.lower(): "none"}))
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert answer["expected"] == "one of plain, timed"


def test_without_the_header_there_must_be_one_endpoint(several):
    status, answer = told(send(several, "/invocations", {"instances": [instance()]}))
    assert (status, answer["field"], answer["expected"]) == (422, "x-drivetrain-endpoint", "one of plain, timed")
    named = {"x-drivetrain-endpoint": "plain", "x-amzn-sagemaker-target-model": "timed"}
    assert told(send(several, "/invocations", {"instances": [instance()]}, **named))[0] == 422


def test_health_and_version(served, tmp_path):
    assert served.get("/ping") == served.get("/health") == (200, {"ready": True})
    status, version = served.get("/version")
    assert status == 200
    assert version[0].isdecimal()
    with door(world.fresh_store(tmp_path / "empty"), tmp_path / "empty-log") as empty:
        status, answer = empty.get("/ping")
        assert (status, answer["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert answer["message"] == "not every endpoint has a version to answer with."


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_bodies_that_can_not_be_read_are_named(served, body, kind):
    status, answer = told(send(served, "/invocations", body, content_type=kind))
    assert status in {400, 422}
    assert set(answer) == {"error_code", "message", "field", "found", "expected"}


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, None, "exactly one form of input; found none"),
        ({"instances": [], "inputs": []}, None, "found instances and inputs"),
        ({"instances": [instance()], "messages": []}, None, "unknown field `messages`"),
        ({"dataframe_records": []}, "dataframe_records", "is empty"),
        ({"dataframe_records": [instance(seats="5")]}, "dataframe_records[0].seats", 'found "5"'),
        ({"dataframe_split": {"columns": NAMES}}, "dataframe_split", "missing required field `data`"),
        ({"dataframe_split": SPLIT | {"columns": NAMES[:2]}}, "dataframe_split.columns", "distance is missing"),
        ({"dataframe_split": SPLIT | {"data": [[1]]}}, "dataframe_split.data[0]", "found 1; expected 4"),
        ({"dataframe_split": SPLIT | {"data": []}}, "rows", "is empty"),
        ({"inputs": {"flight_id": ["f"]}}, "inputs", "the column carrier is missing"),
    ],
)
def test_what_does_not_fit_is_named(served, body, field, words):
    status, answer = told(send(served, "/invocations", json.dumps(body).encode()))
    assert (status, answer["field"], answer["error_code"]) == (422, field, "INVALID_PARAMETER_VALUE")
    assert words in answer["message"]
