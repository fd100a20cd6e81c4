"""SIGTERM under load: whatever was accepted is answered before the server ends."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress

import psutil
import pytest

from drivetrain.serve.log.compact import compact
from drivetrain.serve.server import DRAIN_SECONDS
from serve.faults import house
from serve.faults.callers import Callers
from serve.faults.flood import post
from serve.faults.scale import sized
from serve.faults.workers import wait_for_workers, workers
from serve.process import running
from serve.world import instance

LINES = 40


@pytest.mark.parametrize("count", sized([2], [1, 2]))
def test_what_was_accepted_is_answered(tmp_path, count):
    """Requests that were sent before the signal are answered, be they waiting in the worker's queue when it comes."""
    store = house.make(tmp_path)
    house.promote(store, 2, house.SLOW)
    for turn in range(sized(1, 5)):
        with running(tmp_path, target="serve.faults.house:lone", workers=count) as server:
            wait_for_workers(server, count)
            lines = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(LINES)]
            names = [f"{turn}-{at}" for at in range(LINES)]
            for line in lines:  # who has been answered once has been accepted
                line.sendall(_request("first"))
                assert line.recv(65536).startswith(b"HTTP/1.1 200")
            for line, name in zip(lines, names, strict=True):
                line.sendall(_request(name))
            assert lines[0].recv(65536).startswith(b"HTTP/1.1 200")
            server.process.terminate()
            answers = [line.recv(65536) for line in lines[1:]]
            assert server.process.wait(60) == 0
            for line in lines:
                line.close()
        assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * (LINES - 1)
        compact(store, server.log)
        assert set(names) <= set(store.tables.read("log/plain/predictions")["request_id"])


def test_under_load_nobody_is_refused_and_what_was_acknowledged_is_kept(tmp_path):
    store = house.make(tmp_path)
    with running(tmp_path, target="serve.faults.house:application", workers=2) as server, Callers(server, 6) as callers:
        callers.more(100)
        assert server.end() == 0
        assert server.process.communicate() == ("", "")
        callers.__exit__()
    assert callers.refused == []
    compact(store, server.log)
    assert set(callers.acknowledged) <= set(store.tables.read("log/plain/predictions")["request_id"])


def test_a_worker_that_still_loads_ends_by_itself(tmp_path):
    store = house.make(tmp_path)
    house.promote(store, 2, house.LAZY)
    with running(tmp_path, target="serve.faults.house:lone", wait=False) as server:
        while not _loads(server):
            time.sleep(0.05)
        time.sleep(house.LOAD_SECONDS / 3)
        began = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - began < DRAIN_SECONDS, "it had to be killed"


def _loads(server):
    """Whether a worker has the catalog open."""
    for pid in workers(server):
        with suppress(psutil.NoSuchProcess):
            if any("catalog.db" in file.path for file in psutil.Process(pid).open_files()):
                return True
    return False


def _request(name):
    body = {"instances": [instance()], "request_id": name}
    return post("/v1/endpoints/plain/predict", json.dumps(body).encode())
