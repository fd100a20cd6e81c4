"""Who answers where a version fails, hangs or says what is no number."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from dataclasses import replace

import pytest

from drivetrain.core.clock import now
from drivetrain.core.records import Alias, Arm, Policy
from drivetrain.serve import breaker
from drivetrain.serve.breaker import Breaker
from drivetrain.serve.deadline import Deadline
from drivetrain.serve.refusal import TooSlow
from serve import world
from serve.fakes import door
from serve.routing.test_router import logged

PATH = "/v1/endpoints/plain/predict"
BODY = {"instances": [world.instance()]}
FAILS, HANGS, NOTHING = -1.0, 77.0, 88.0


class Broken(world.Sum):
    """Hangs, or says what is no number, as its bias says."""

    gate = threading.Event()
    warm = False

    def predict_row(self, row):
        if self.bias == HANGS and Broken.warm:
            Broken.gate.wait(20)
        return math.nan if self.bias == NOTHING else super().predict_row(row)


def load(store, version):
    return Broken(world.load(store, version).bias)


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    Broken.gate.clear()
    Broken.warm = False
    yield opened
    Broken.gate.set()
    opened.close()


def champion(store, bias, number=2, previous=1):
    world.add_version(store, "plain", number, bias)
    store.catalog.commit(Alias(model="plain", alias="champion", version=number, previous=previous, at=now()))


def canary(store, bias):
    world.add_version(store, "plain", 3, bias)
    store.catalog.commit(
        Policy(endpoint="plain", mode="canary", experiment="x", arms=(Arm(name="new", version=3, share=1.0),), at=now())
    )


@pytest.mark.parametrize("bias", [FAILS, NOTHING])
@pytest.mark.parametrize("deadline", [None, 5.0])
def test_the_champion_stands_in_for_a_canary(store, tmp_path, bias, deadline):
    canary(store, bias)
    with door(store, tmp_path / "log", plans=[replace(world.PLAIN, deadline=deadline)], load=load) as ask:
        status, answer = ask.post(PATH, BODY)
        assert (status, answer["model_version"], answer["failed"], answer["arms"]) == (200, 1, [3], ["new"])
        assert 'drivetrain_stood_in_total{endpoint="plain",version="3"} 1.0' in ask.get("/metrics")[1]
    assert [(one.version, one.failed, one.arm, one.role) for one in logged(tmp_path / "log")] == [
        (1, 3, "new", "champion")
    ]


@pytest.mark.parametrize(
    ("fallback", "version", "predicted", "failed"), [("previous", 1, 105.0, 2), (0.25, 2, 0.25, 2)]
)
@pytest.mark.parametrize("bias", [FAILS, HANGS, NOTHING])
def test_a_fallback_stands_in_for_the_champion(store, tmp_path, bias, fallback, version, predicted, failed):
    champion(store, bias)
    plan = replace(world.PLAIN, fallback=fallback, deadline=0.2)
    with door(store, tmp_path / "log", plans=[plan], load=load) as ask:
        Broken.warm = True
        status, answer = ask.post(PATH, BODY)
        assert (status, answer["model_version"], answer["failed"]) == (200, version, [failed])
        assert answer["predictions"] == [pytest.approx(predicted, abs=2.0)]
    [entry] = logged(tmp_path / "log")
    assert (entry.version, entry.failed) == (version, failed)


@pytest.mark.parametrize(("bias", "status", "said"), [(FAILS, 500, "always fails"), (HANGS, 504, "took too long")])
def test_without_a_fallback_the_error_is_told(store, tmp_path, bias, status, said):
    champion(store, bias)
    with door(store, tmp_path / "log", plans=[replace(world.PLAIN, deadline=0.2)], load=load) as ask:
        Broken.warm = True
        found, answer = ask.post(PATH, BODY)
        assert found == status
        assert said in answer["error"]["message"]
    assert logged(tmp_path / "log") == []


def test_a_version_that_keeps_failing_is_left_alone(store, tmp_path):
    champion(store, FAILS)
    asked = []

    class Counted(Broken):
        def predict_row(self, row):
            asked.append(self.bias)
            return super().predict_row(row)

    plan = replace(world.PLAIN, fallback=0.5)
    with door(store, tmp_path / "log", plans=[plan], load=lambda s, v: Counted(load(s, v).bias)) as ask:
        asked.clear()
        for _ in range(20):
            assert ask.post(PATH, BODY)[1]["predictions"] == [0.5]
    assert len(asked) == breaker.FAILURES
    assert len(logged(tmp_path / "log")) == 20


def test_a_breaker_lets_one_through_now_and_then():
    moment = 0.0
    guard = Breaker(lambda: moment)
    for _ in range(breaker.FAILURES):
        assert guard.lets_through()
        guard.failed()
    assert guard.is_open
    assert not guard.lets_through()
    moment = breaker.SECONDS
    assert [guard.lets_through(), guard.lets_through()] == [True, False]
    guard.succeeded()
    assert guard.lets_through()
    assert not guard.is_open


def test_what_hangs_holds_nobody_up():
    """The next call runs while the first still hangs."""
    gate = threading.Event()

    async def asked():
        deadline = Deadline("test")
        with pytest.raises(TooSlow, match="took too long"):
            await deadline.run(lambda: gate.wait(20), 0.05)
        assert await deadline.run(lambda: 7, 5.0) == 7
        with pytest.raises(TooSlow, match="had passed"):
            await deadline.run(lambda: 7, -0.1)
        with pytest.raises(KeyError):
            await deadline.run(lambda: {}[1], 5.0)
        deadline.close()

    asyncio.run(asked())
    gate.set()


def test_what_comes_while_a_batch_runs_is_the_next_batch(store, tmp_path):
    champion(store, HANGS)
    body = json.dumps(BODY).encode()
    with door(store, tmp_path / "log", plans=[replace(world.PLAIN, deadline=10.0)], load=load) as ask:
        Broken.warm = True

        async def asked():
            first = asyncio.ensure_future(ask.send("POST", PATH, body))
            await asyncio.sleep(0.05)
            others = [asyncio.ensure_future(ask.send("POST", PATH, body)) for _ in range(5)]
            await asyncio.sleep(0.05)
            assert (await ask.send("GET", "/healthz")).status == 200, "the event loop is free"
            Broken.gate.set()
            return [wire.status for wire in await asyncio.gather(first, *others)]

        assert ask.loop.run_until_complete(asked()) == [200] * 6
        assert 'drivetrain_batches_total{endpoint="plain"} 2.0' in ask.get("/metrics")[1]


def test_an_open_breaker_is_told_of(store, tmp_path):
    champion(store, FAILS)
    with door(store, tmp_path / "log", plans=[world.PLAIN], load=load) as ask:
        for _ in range(breaker.FAILURES):
            ask.post(PATH, BODY)
        status, answer = ask.post(PATH, BODY)
        assert status == 500
        assert "left alone" in answer["error"]["message"]
        assert ask.get("/v1/endpoints/plain")[1]["left_alone"] == [2]
