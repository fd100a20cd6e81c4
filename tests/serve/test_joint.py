from __future__ import annotations

import asyncio
import json

import pytest

from drivetrain.core.clock import now
from drivetrain.core.errors import StoreError
from drivetrain.core.records import Arm, Policy
from drivetrain.serve.log.joint import JointWrite
from drivetrain.serve.log.read import find
from serve import world
from serve.fakes import Scope, Wire, door
from serve.routing.test_router import logged

PATH = "/v1/endpoints/plain/predict"


class Log:
    """What was written, and what to raise instead."""

    def __init__(self):
        self.writes = []
        self.problem = None

    def append(self, frames):
        if self.problem is not None:
            raise self.problem
        self.writes.append(frames)


def test_those_of_one_turn_share_a_write_and_nobody_goes_on_before_it():
    log = Log()
    joint = JointWrite(log.append)
    went_on = []

    async def one(frames):
        await joint.append(frames)
        went_on.append((frames, len(log.writes)))

    async def main():
        await asyncio.gather(*(one(frames) for frames in (b"a", b"b", b"c")))
        await one(b"d")

    asyncio.run(main())
    assert log.writes == [b"abc", b"d"]
    assert went_on == [(b"a", 1), (b"b", 1), (b"c", 1), (b"d", 2)]


def test_a_write_that_fails_fails_for_all_who_shared_it_and_the_next_is_tried():
    log = Log()
    joint = JointWrite(log.append)

    async def main():
        log.problem = StoreError("full")
        told = await asyncio.gather(joint.append(b"a"), joint.append(b"b"), return_exceptions=True)
        assert told == [log.problem] * 2
        log.problem = None
        await joint.append(b"c")

    asyncio.run(main())
    assert log.writes == [b"c"]


def test_one_who_has_gone_takes_nothing_from_the_others():
    log = Log()
    joint = JointWrite(log.append)

    async def main():
        gone, stays = joint.append(b"a"), joint.append(b"b")
        gone.cancel()
        await asyncio.wait([gone, stays])
        assert gone.cancelled()
        assert stays.exception() is None

    asyncio.run(main())
    assert log.writes == [b"ab"]


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    yield opened
    opened.close()


class Gated(Wire):
    """A body that comes when it may."""

    def __init__(self, body, gate):
        super().__init__(body)
        self._gate = gate

    async def __call__(self):
        await self._gate.wait()
        return self._body


def asked(made, count, path=PATH):
    """The answers to so many requests whose bodies come in the same turn, and how often the log was written."""
    log, writes = made.app._planes["plain"].log, []
    append = log.append

    def counted(frames):
        writes.append(frames)
        append(frames)

    made.app._planes["plain"]._joint = JointWrite(counted)
    log.append = counted

    async def together():
        gate = asyncio.Event()
        bodies = [json.dumps({"instances": [world.instance()], "request_id": f"r{at}"}).encode() for at in range(count)]
        wires = [Gated(body, gate) for body in bodies]
        tasks = [
            asyncio.ensure_future(made.app.__rsgi__(Scope("POST", path, {"content-length": str(len(body))}), wire))
            for body, wire in zip(bodies, wires, strict=True)
        ]
        await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(*tasks)
        return wires

    wires = made.loop.run_until_complete(together())
    log.append = append
    return wires, writes


@pytest.mark.parametrize("routed", [False, True])
def test_requests_that_are_ready_together_are_one_write(store, tmp_path, routed):
    if routed:
        arms = (Arm(name="all", version=0, share=1.0),)
        store.catalog.commit(Policy(endpoint="plain", mode="split", experiment="x", arms=arms, at=now()))
    with door(store, tmp_path / "log") as made:
        wires, writes = asked(made, 20)
        assert [json.loads(wire.body)["request_id"] for wire in wires] == [f"r{at}" for at in range(20)]
        assert len(writes) == 1
        assert (
            'drivetrain_predictions_total{endpoint="plain",role="champion",version="1"} 20.0' in made.get("/metrics")[1]
        )
    assert [one.request_id for one in logged(tmp_path / "log")] == [f"r{at}" for at in range(20)]
    assert {one.experiment for one in logged(tmp_path / "log")} == {"x" if routed else ""}


def test_where_the_common_write_fails_each_is_refused_and_none_acknowledged(store, tmp_path):
    with door(store, tmp_path / "log") as made:
        (tmp_path / "log" / "plain").write_text("no folder")
        wires, writes = asked(made, 5)
        assert len(writes) == 1
        assert [wire.status for wire in wires] == [503] * 5
        text = made.get("/metrics")[1]
        assert 'drivetrain_log_refused_total{endpoint="plain"} 5.0' in text
        assert "drivetrain_predictions_total{" not in text


def test_one_alone_is_written_at_once(store, tmp_path):
    body = json.dumps({"instances": [world.instance()], "request_id": "alone"}).encode()
    with door(store, tmp_path / "log") as made:
        wire = Wire(body)
        asking = made.app.__rsgi__(Scope("POST", PATH, {"content-length": str(len(body))}), wire)

        async def without_a_pause():
            with pytest.raises(StopIteration):
                asking.send(None)

        made.loop.run_until_complete(without_a_pause())
        assert wire.status == 200
        assert [one.request_id for one in find(store, tmp_path / "log", "alone")] == ["alone"]


@pytest.mark.parametrize("count", [4, 8, 16])
def test_waiting_for_a_common_write_takes_nobodys_place(store, tmp_path, count):
    with door(store, tmp_path / "log", queue=8) as made:
        wires, _ = asked(made, count)
        assert [wire.status for wire in wires] == [200] * count
