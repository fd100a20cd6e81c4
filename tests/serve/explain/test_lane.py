from __future__ import annotations

import asyncio
import threading

import pytest

from drivetrain.core.errors import Overloaded
from drivetrain.serve.explain.lane import Lane


def test_what_is_beyond_the_limit_is_refused_and_room_comes_back():
    gate = threading.Event()

    async def story():
        lane = Lane(2)
        held = [asyncio.ensure_future(lane.run(lambda at=at: (gate.wait(10), at)[1])) for at in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="found 2"):
            await lane.run(lambda: None)
        gate.set()
        assert await asyncio.gather(*held) == [0, 1]
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 / 0)
        assert [await lane.run(lambda at=at: at) for at in range(5)] == [0, 1, 2, 3, 4]
        lane.close()

    asyncio.run(story())


def test_one_thing_happens_at_a_time_and_the_event_loop_goes_on():
    at_once = [0, 0]

    def work():
        at_once[0] += 1
        at_once[1] = max(at_once)
        threading.Event().wait(0.01)
        at_once[0] -= 1
        return threading.current_thread() is not threading.main_thread()

    async def story():
        lane = Lane(8)
        runs = [asyncio.ensure_future(lane.run(work)) for _ in range(8)]
        turns = 0
        while not all(run.done() for run in runs):
            turns += 1
            await asyncio.sleep(0.001)
        assert all([await run for run in runs])
        assert turns > 8
        lane.close()

    asyncio.run(story())
    assert at_once == [0, 1]
