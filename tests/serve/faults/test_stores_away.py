"""Stores that are away and come back: online rows by what the endpoint says, the catalog without anybody's notice."""

from __future__ import annotations

import os
import signal
import time

import pytest

from drivetrain.core.clock import iso, now
from drivetrain.serve.server import DRAIN_SECONDS
from drivetrain.testing.postgres import postgres  # noqa: F401 - a fixture
from drivetrain.testing.redis import redis_server  # noqa: F401 - a fixture
from serve import world
from serve.faults import house
from serve.faults.callers import Callers
from serve.faults.gate import Gate
from serve.faults.scale import sized
from serve.faults.workers import wait_for_workers, workers
from serve.process import gone, running

ROW = {"instances": [{"flight_id": "f", "tailnum": "P"}]}


def eventually(check, wanted):
    until = time.monotonic() + 60
    while (found := check()) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.05)


@pytest.mark.services
def test_the_online_store(tmp_path, redis_server):  # noqa: F811 - the fixture
    with Gate(redis_server.port) as gate:
        database = redis_server.fresh().rsplit("/", 1)[1]
        house.make(tmp_path, online=f"redis://127.0.0.1:{gate.port}/{database}").close()
        with running(tmp_path, target="serve.faults.house:application") as server:

            def ask(endpoint):
                return server.post(f"/v1/endpoints/{endpoint}/predict", ROW)

            def push(number):
                event = {"flight_id": f"e{number}", "tailnum": "P", "delay": 20.0, "at": iso(now())}
                return server.post("/v1/features/plane/push", {"events": [event]})

            assert push(0) == (200, {"pushed": 1})
            assert ask("late")[1]["predictions"] == [20.0 + 1]
            for number in range(1, sized(2, 10)):
                gate.shut()
                status, answer = ask("late")
                assert status == 503
                assert answer["error"]["message"]
                status, answer = ask("lenient")
                assert (status, answer["predictions"], answer["features_away"]) == (200, [0.0], ["plane"])
                assert push(number)[0] == 503
                status, answer = server.post("/v1/endpoints/plain/predict", {"instances": [world.instance()]})
                assert (status, answer["predictions"]) == (200, [106.0])
                gate.reopen()
                eventually(lambda: ask("late")[0], 200)
                assert push(number) == (200, {"pushed": 1})
                assert ask("late")[1]["predictions"] == ask("lenient")[1]["predictions"] == [20.0 + number + 1]
                assert "features_away" not in ask("lenient")[1]


@pytest.mark.services
def test_a_catalog_that_never_answers(tmp_path, postgres):  # noqa: F811 - the fixture
    """As where a network swallows what is sent."""
    with Gate(postgres.port) as gate:
        house.make(tmp_path, catalog=postgres.fresh().replace(f":{postgres.port}/", f":{gate.port}/")).close()
        with running(tmp_path, target="serve.faults.house:application") as server, Callers(server, 2) as callers:
            for _ in range(sized(1, 3)):
                gate.silent.set()
                callers.more(20)
                eventually(lambda: "has not answered" in server.get("/healthz")[1]["catalog"], wanted=True)
                callers.more(20)
                gate.silent.clear()
                eventually(lambda: server.get("/healthz")[1]["catalog"], wanted="")
            gate.silent.set()
            callers.__exit__()
            time.sleep(1)
            began = time.monotonic()
            assert server.end() == 0
            assert time.monotonic() - began < DRAIN_SECONDS, "it had to be killed"
        assert (callers.refused, callers.lost) == ([], [])


@pytest.mark.services
def test_the_catalog(tmp_path, postgres):  # noqa: F811 - the fixture
    with Gate(postgres.port) as gate:
        url = postgres.fresh()
        near = url.replace(f":{postgres.port}/", f":{gate.port}/")
        house.make(tmp_path, catalog=near).close()
        with (
            running(tmp_path, target="serve.faults.house:application", workers=2) as server,
            Callers(server) as callers,
        ):

            def told():
                return bool(server.get("/healthz")[1]["catalog"])

            wait_for_workers(server, 2)
            for number in range(2, sized(3, 10)):
                callers.more(20)
                gate.shut()
                eventually(told, wanted=True)
                callers.more(20)
                assert server.get("/healthz")[1]["ready"] is True
                store = house.open_store(house.StoreSettings(catalog=url), tmp_path)
                house.promote(store, number, float(number))
                store.close()
                gate.reopen()
                eventually(told, wanted=False)
                eventually(lambda: server.get("/v1/endpoints/plain")[1]["versions"]["champion"], number)
            callers.__exit__()
            assert server.end() == 0
        assert (callers.refused, callers.lost) == ([], [])


@pytest.mark.services
def test_a_worker_killed_while_the_catalog_is_away(tmp_path, postgres):  # noqa: F811 - the fixture
    """The one in its place can't load what it should serve; the others serve on, and it comes when it can."""
    with Gate(postgres.port) as gate:
        house.make(tmp_path, catalog=postgres.fresh().replace(f":{postgres.port}/", f":{gate.port}/")).close()
        with running(tmp_path, target="serve.faults.house:application", workers=2) as server:
            wait_for_workers(server, 2)
            gate.shut()
            victim = workers(server)[0]
            os.kill(victim, signal.SIGKILL)
            assert gone(victim)
            time.sleep(sized(6, 30))  # in which it would have tried, and failed, more than once
            with Callers(server, 2) as callers:
                callers.more(20)
            assert callers.refused == []
            gate.reopen()
            wait_for_workers(server, 2, without=victim)
            assert server.end() == 0
