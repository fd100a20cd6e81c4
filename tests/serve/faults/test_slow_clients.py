"""Clients that drip, stop half-way, or go: they get their 408 or nothing, and everybody else is answered."""

from __future__ import annotations

import socket
import struct
import time

import psutil
import pytest

from serve.faults import house
from serve.faults.callers import Callers
from serve.faults.flood import post
from serve.faults.scale import sized
from serve.faults.workers import PATIENCE, workers
from serve.process import running

CLIENTS = sized(60, 600)
BODY_SECONDS = 2.0
WHOLE = post("/v1/endpoints/plain/predict", b'{"instances": []}' + b" " * 200)
HEAD = WHOLE.index(b"\r\n\r\n") + 4


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    house.make(folder).close()
    with running(folder, target="serve.faults.house:application", body_seconds=BODY_SECONDS) as started:
        yield started


def connected(server, count):
    return [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(count)]


def ended(line):
    """What the server said before it closed the connection."""
    told = b""
    try:
        while piece := line.recv(65536):
            told += piece
    except ConnectionError:
        pass
    line.close()
    return told


def arriving(server):
    [gauge] = [line for line in server.get("/metrics")[1].splitlines() if line.startswith("drivetrain_arriving ")]
    return float(gauge.split()[1])


def nothing_is_held(server, descriptors):
    """The worker lets go of what came of it all."""
    until = time.monotonic() + PATIENCE
    (worker,) = workers(server)
    while True:
        gauge, open_now = arriving(server), psutil.Process(worker).num_fds()
        if gauge == 0 and open_now <= descriptors + 5:
            return
        assert time.monotonic() < until, (gauge, open_now, descriptors)
        time.sleep(0.1)


@pytest.mark.parametrize("sent", [10, HEAD - 2, HEAD + 5], ids=["in the head", "at its end", "in the body"])
def test_who_drips_or_stops_is_given_up_and_nobody_else_suffers(server, sent):
    (worker,) = workers(server)
    descriptors = psutil.Process(worker).num_fds()
    with Callers(server, 2) as callers:
        callers.more(5)
        lines = connected(server, CLIENTS)
        for line in lines:
            line.sendall(WHOLE[:sent])
        until = time.monotonic() + BODY_SECONDS * 2
        at = sent
        while time.monotonic() < until and at < sent + 15:
            for line in lines[::2]:  # every other one drips on, the rest just stop
                try:
                    line.sendall(WHOLE[at : at + 1])
                except OSError:
                    continue
            at += 1
            time.sleep(0.2)
            callers.more(3)
        told = {ended(line)[:12] for line in lines}
        callers.__exit__()
    assert told <= {b"HTTP/1.1 408", b"HTTP/1.1 400", b""}
    if sent > HEAD:
        assert b"HTTP/1.1 408" in told
    assert (callers.refused, callers.lost) == ([], [])
    nothing_is_held(server, descriptors)


@pytest.mark.parametrize("abruptly", [False, True])
def test_who_goes_half_way_is_forgotten(server, abruptly):
    (worker,) = workers(server)
    descriptors = psutil.Process(worker).num_fds()
    with Callers(server, 2) as callers:
        for line in connected(server, CLIENTS):
            line.sendall(WHOLE[: HEAD + 20])
            if abruptly:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                line.shutdown(socket.SHUT_WR)
            line.close()
        callers.more(20)
        nothing_is_held(server, descriptors)
        callers.__exit__()
    assert (callers.refused, callers.lost) == ([], [])


def test_a_body_half_closed_is_told_so(server):
    for line in connected(server, 3):
        line.sendall(WHOLE[: HEAD + 20])
        line.shutdown(socket.SHUT_WR)
        assert ended(line)[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 408", b""}


def look_like_a_crowd_no_more(server):
    """Those of them that were let in are known to be slow."""
    until = time.monotonic() + PATIENCE
    seen, since = 0.0, time.monotonic()
    while not seen or time.monotonic() < since + 2:
        assert time.monotonic() < until
        if (now := arriving(server)) != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.1)
    while server.post("/v1/endpoints/plain/predict", {"instances": [house.world.instance()]})[0] != 200:
        assert time.monotonic() < until


def test_more_of_them_than_requests_may_wait_keep_nobody_out(tmp_path):
    """Be it that they ask nothing, or that their bodies drip: for a moment those may look like a crowd."""
    queue = 16
    house.make(tmp_path).close()
    with running(tmp_path, target="serve.faults.house:lone", queue=queue, body_seconds=120.0) as server:
        idle, dripping = connected(server, queue * 3), connected(server, queue * 3)
        try:
            for line in dripping:
                line.sendall(WHOLE[: HEAD + 5])
            look_like_a_crowd_no_more(server)
            with Callers(server, 2) as callers:
                callers.more(20)
        finally:
            for line in idle + dripping:
                line.close()
        assert (callers.refused, callers.lost) == ([], [])
