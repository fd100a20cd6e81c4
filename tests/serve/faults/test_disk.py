"""A disk that is full, and one that spoils what it holds: what was acknowledged and is not spoiled is kept."""

from __future__ import annotations

import random
import signal

import pytest

from drivetrain.serve.log.compact import compact
from drivetrain.serve.log.frame import MAGIC, Frame, scan, unpack
from drivetrain.serve.log.segment import segments
from drivetrain.testing.disk import fill, small_disk
from serve import world
from serve.faults.callers import Callers
from serve.faults.scale import sized
from serve.process import running


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_full_it_acknowledges_nothing_and_loses_nothing(tmp_path, durability):
    store = world.make(tmp_path)
    with small_disk(tmp_path / "disk", 4096) as disk:
        log = disk / "log"
        log.mkdir()
        with (
            running(tmp_path, log=str(log), durability=durability, workers=2) as server,
            Callers(server) as callers,
        ):
            for _ in range(sized(2, 20)):
                callers.more(40)
                filler = fill(disk, leave_kibibytes=64)  # the workers write meanwhile
                callers.more(40, status=503)
                filler.unlink()
                callers.more(40)
            callers.__exit__()
            assert server.get("/healthz")[0] == 200
        compact(store, log)
        assert sorted(store.tables.read("log/plain/predictions")["request_id"]) == sorted(callers.acknowledged)
    assert callers.lost == []
    assert {told.status for told in callers.refused} == {503}
    assert all("can't be written" in told.answer["error"]["message"] for told in callers.refused)


def test_spoiled_it_keeps_every_entry_that_is_whole(tmp_path):
    """Bytes are flipped in the middle of segments, the last one is cut; a server serves on meanwhile."""
    store = world.make(tmp_path)
    chance = random.Random(3)
    with running(tmp_path, workers=2) as server, Callers(server, name="before-") as callers:
        callers.more(sized(200, 5_000))
        server.end(signal.SIGKILL)
        callers.__exit__()
    whole = {}
    paths = segments(server.log / "plain")
    for path in paths:
        data = bytearray(path.read_bytes())
        frames = [piece for piece in scan(bytes(data), len(MAGIC)) if isinstance(piece, Frame)]
        spoiled = set(chance.sample(range(len(frames) - 1), min(5, len(frames) - 2))) | {len(frames) - 1}
        for at in spoiled:
            data[chance.randrange(frames[at].start, frames[at].end)] ^= 1 << chance.randrange(8)
        path.write_bytes(data[: frames[-1].end - 3])
        whole |= {unpack(frame.body).request_id: path for at, frame in enumerate(frames) if at not in spoiled}
    with running(tmp_path, workers=2) as server, Callers(server, name="after-") as others:
        others.more(50)
        done = compact(store, server.log)
        others.more(50)
        others.__exit__()
    compact(store, server.log)
    rows = store.tables.read("log/plain/predictions")["request_id"]
    assert sorted(rows) == sorted([*whole, *others.acknowledged])
    assert sorted(done.damaged) == sorted(path.name for path in paths)
    assert all(path.with_suffix(".damaged").exists() for path in paths)
    assert done.torn_bytes > 0
