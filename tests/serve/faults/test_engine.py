"""Models that raise, hang or say what is no number, behind a real server that goes on for everybody else."""

from __future__ import annotations

import time

import pytest

from drivetrain.serve.log.compact import compact
from serve.faults import house
from serve.process import running
from serve.world import instance, timed

PREDICT = "/v1/endpoints/{}/predict"
ENDPOINTS = ("plain", "timely", "previous", "default")
"""Each takes a new version up by itself, one after the other."""
ROWS = {"instances": [instance()]}
NUMBERS = iter(range(2, 1000))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    store = house.make(folder)
    with running(folder, target="serve.faults.house:application") as server:
        yield server, store


def promote(served, bias):
    server, store = served
    number = next(NUMBERS)
    house.promote(store, number, bias)
    until = time.monotonic() + 60
    for endpoint in ENDPOINTS:
        while server.get(f"/v1/endpoints/{endpoint}")[1]["versions"]["champion"] != number:
            assert time.monotonic() < until
            time.sleep(0.05)
    return number


def asked(server, endpoint):
    status, answer = server.post(PREDICT.format(endpoint), ROWS)
    others, said = server.post(PREDICT.format("timed"), {"instances": [timed()]})
    assert (others, said["predictions"]) == (200, [110.0]), "others are answered meanwhile"
    return status, answer


@pytest.mark.parametrize(
    ("bias", "status", "said"),
    [
        (house.FAILS, 500, "this model always fails"),
        (house.NOTHING, 500, "gave something that is no number"),
        (house.HANGS, 504, "took too long"),
    ],
)
def test_its_failure_is_said_or_stood_in_for(served, bias, status, said):
    server, _ = served
    number = promote(served, bias)
    found, answer = asked(server, "timely")
    assert found == status
    assert said in answer["error"]["message"]
    assert "Traceback (most" not in answer["error"]["message"]
    for endpoint, predicted, version in (("previous", 106.0, 1), ("default", 0.25, number)):
        found, answer = asked(server, endpoint)
        assert (found, answer["predictions"], answer["model_version"]) == (200, [predicted], version)
        assert answer["failed"] == [number]
    assert server.get("/healthz")[1]["live"] is True


def test_the_next_version_is_answered_with(served):
    server, _ = served
    promote(served, house.FAILS)
    assert asked(server, "plain")[0] == 500
    number = promote(served, 3.0)
    for endpoint in ENDPOINTS:
        status, answer = asked(server, endpoint)
        assert (status, answer["predictions"], answer["model_version"]) == (200, [109.0], number)


def test_a_server_whose_model_hangs_still_drains(tmp_path):
    store = house.make(tmp_path)
    house.promote(store, 2, house.HANGS)
    with running(tmp_path, target="serve.faults.house:application") as server:
        named = ROWS | {"request_id": "stood-in"}
        assert server.post(PREDICT.format("default"), named)[1]["predictions"] == [0.25]
        assert server.end() == 0
    compact(store, server.log)
    [row] = store.tables.read("log/default/predictions").iter_rows(named=True)
    assert (row["request_id"], row["failed"], row["prediction"]) == ("stood-in", 2, 0.25)
