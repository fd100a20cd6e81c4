"""Events over HTTP: the next prediction of the same worker sees them."""

from __future__ import annotations

import asyncio
import json
import random
import threading

import polars as pl
import pytest

from drivetrain.core.clock import HOUR, iso
from drivetrain.core.settings import ServeSettings
from drivetrain.features.online.push import Pusher
from drivetrain.features.training_set import build
from drivetrain.serve.app import Application
from drivetrain.serve.request import Request
from drivetrain.serve.routes import features
from features.stores import Rows
from serve import world
from serve.fakes import Door
from serve.test_features import LATE, PLAN, PLANE, START, UTC, events, serve_version

FLIGHT = {
    "flight_id": "f1",
    "tailnum": "P",
    "origin": "JFK",
    "dest": "SFO",
    "carrier": "UA",
    "delay": 20.0,
    "at": iso(START),
}
ROWS = Rows(name="flights", key=("flight_id",), time="at", available=None)


@pytest.fixture
def door(tmp_path):
    store = world.fresh_store(tmp_path)
    store.tables.append("flights", events(random.Random(1), 50))
    asked = pl.DataFrame(
        {"flight_id": ["x"], "_at": [START], "tailnum": ["A"], "origin": ["JFK"], "dest": ["SFO"], "sched": [START]},
        schema_overrides={"_at": UTC, "sched": UTC},
    )
    serve_version(store, build(asked, PLAN.views, PLAN.requests, store.tables.scan))
    pushers = {"plane": Pusher(store.online, PLANE, ROWS)}
    settings = ServeSettings(allow_at=True, max_rows=100)
    app = Application([PLAN], store, settings, tmp_path / "log", pushers=pushers, load=world.load)
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    yield Door(app, loop)
    app.__rsgi_del__(loop)
    loop.close()


def predict(door):
    request = {"flight_id": "g", "tailnum": "P", "origin": "JFK", "dest": "SFO", "sched": iso(START + 2 * HOUR)}
    status, answer = door.post(LATE, {"instances": [request], "at": iso(START + HOUR)})
    assert status == 200, answer
    return answer["predictions"][0]


def test_the_next_prediction_sees_a_push(door):
    before = predict(door)
    assert door.post("/v1/features/plane/push", {"events": [FLIGHT]}) == (200, {"pushed": 1})
    after = predict(door)
    assert after != before
    assert door.post("/v1/features/plane/push", {"events": [FLIGHT]}) == (200, {"pushed": 1})
    assert predict(door) == after


def test_nobody_waits_for_a_push_that_waits():
    """As it does for whoever else writes to the online store."""
    free = threading.Event()

    class Waiting:
        def push(self, events):
            return len(events) if free.wait(2) else None

    [route] = features.routes({"plane": Waiting()}, ServeSettings())

    async def both():
        asyncio.get_running_loop().call_soon(free.set)
        return await route.handler(Request({}, b'{"events": [{}]}'))

    assert json.loads(asyncio.run(both()).body) == {"pushed": 1}


@pytest.mark.parametrize(
    ("path", "body", "status", "field", "said"),
    [
        ("plane", {"events": [{**FLIGHT, "at": "soon"}]}, 422, "events[0].at", "no moment"),
        ("plane", {"events": [{k: v for k, v in FLIGHT.items() if k != "tailnum"}]}, 422, "events[0].tailnum", "lacks"),
        ("plane", {"events": FLIGHT}, 422, "events", "array"),
        ("plane", {"rows": []}, 422, None, "events"),
        ("plane", {"events": [{**FLIGHT, "flight_id": [1]}]}, 422, "events[0].flight_id", "one value"),
        ("plane", {"events": [{**FLIGHT, "flight_id": {"a": 1}}]}, 422, "events[0].flight_id", "one value"),
        ("plane", b"{", 400, None, "not JSON"),
        ("plane", b'{"events": [{"tailnum": "\xc3\x28"}]}', 400, None, "not JSON"),
        ("plane", b'{"events": [{"tailnum": ' + b"[" * 100_000, 400, None, "not JSON"),
        ("plane", {"events": [FLIGHT] * 101}, 413, "events", "at most 100"),
        ("nowhere", {"events": [FLIGHT]}, 404, None, "/v1/features/plane/push"),
    ],
)
def test_what_cannot_be_pushed_is_named(door, path, body, status, field, said):
    before = predict(door)
    code, answer = door.post(f"/v1/features/{path}/push", body)
    assert code == status
    assert answer["error"]["field"] == field
    assert said in answer["error"]["message"]
    assert predict(door) == before


def test_a_push_is_posted(door):
    assert door.get("/v1/features/plane/push")[0] == 405
