from __future__ import annotations

import asyncio
import threading

import pytest

from drivetrain.core.errors import StoreError
from drivetrain.serve.log.commit import GroupCommit


def test_those_who_wait_while_a_sync_runs_share_the_next():
    begun, gate = threading.Event(), threading.Event()
    syncs = 0

    def sync():
        nonlocal syncs
        syncs += 1
        begun.set()
        gate.wait(10)

    async def main():
        commit = GroupCommit(sync)
        first = asyncio.ensure_future(commit.wait())
        await asyncio.to_thread(begun.wait, 10)
        rest = [asyncio.ensure_future(commit.wait()) for _ in range(20)]
        await asyncio.sleep(0)
        assert not first.done()
        gate.set()
        await asyncio.gather(first, *rest)
        commit.close()

    asyncio.run(main())
    assert syncs == 2


def test_a_sync_that_fails_fails_for_all_who_waited_and_the_next_is_tried():
    outcomes = [StoreError("no"), None]

    def sync():
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    async def main():
        commit = GroupCommit(sync)
        with pytest.raises(StoreError):
            await commit.wait()
        await commit.wait()
        commit.close()

    asyncio.run(main())
