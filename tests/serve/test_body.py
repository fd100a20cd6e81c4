"""Bodies that lie about their length, come in pieces, slowly, or never: sent to a real server, byte by byte."""

from __future__ import annotations

import asyncio
import json
import socket
import time

import psutil
import pytest

from drivetrain.core.errors import Overloaded
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.body import SMALL, TOGETHER, Intake
from drivetrain.serve.refusal import Malformed
from serve import world
from serve.fakes import Wire
from serve.process import running
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"
BODY = json.dumps({"instances": [instance()]}).encode()
HEAD = f"POST {PLAIN} HTTP/1.1\r\nhost: x\r\n".encode()
CHUNK = b"%x\r\n%s\r\n" % (len(BODY), BODY)
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
SECONDS = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    place = tmp_path_factory.mktemp("bodies")
    world.make(place).close()
    with running(place, body_seconds=SECONDS, queue=1000, max_bytes=1_000_000) as made:
        yield made


def of_length(length, body=BODY):
    return HEAD + b"content-length: %s\r\n\r\n%s" % (str(length).encode(), body)


def say(server, data, *, ends=False):
    """Bytes as they are; what came back until the server closed the connection, and how long that took."""
    began, told = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
        caller.sendall(data)
        if ends:
            caller.shutdown(socket.SHUT_WR)
        try:
            while piece := caller.recv(65536):
                told += piece
        except ConnectionResetError:
            pass
    return told, time.monotonic() - began


def level(server, name):
    lines = server.get("/metrics")[1].splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"drivetrain_{name} "))


@pytest.mark.parametrize(
    "data",
    [
        of_length(500),
        of_length(200_000),
        of_length(200_000, BODY * 900),
        CHUNKED,
        CHUNKED + CHUNK,
        CHUNKED + b"5\r\n",
    ],
    ids=["small", "large", "large, begun well", "no chunk", "one chunk", "half a chunk"],
)
def test_a_body_that_never_ends_is_refused_in_time_and_the_connection_closed(server, data):
    told, seconds = say(server, data)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in told.lower()
    assert b"within 1 s" in told
    assert SECONDS <= seconds < SECONDS + 1.5


@pytest.mark.parametrize("data", [b"", HEAD, HEAD[:10]], ids=["nothing", "half a head", "less"])
def test_a_head_that_never_ends_costs_the_connection(server, data):
    told, seconds = say(server, data)
    assert told == b""
    assert seconds < SECONDS + 1.5


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (of_length(500), 400),
        (of_length(200_000), 400),
        (of_length(1_000_001, b" " * 1_000_001), 413),
        (of_length(10_000_000), 413),
        (HEAD + b"expect: 100-continue\r\ncontent-length: 1000001\r\n\r\n", 413),
        (CHUNKED + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 17 + b"0\r\n\r\n", 413),
    ],
    ids=["cut short", "cut short, large", "too large", "far too large", "asks first", "too large in chunks"],
)
def test_a_body_that_is_not_what_it_says_is_refused(server, data, status):
    told, seconds = say(server, data, ends=status == 400)
    assert told.startswith(b"HTTP/1.1 %d " % status)
    assert seconds < SECONDS


@pytest.mark.parametrize("length", ["-3", "+3", "3.0", "x", "9" * 30, "3\r\ncontent-length: 4"])
def test_a_length_that_is_none_is_never_answered_with_a_prediction(server, length):
    told, _ = say(server, of_length(length))
    assert b" 200 OK" not in told
    assert server.get("/healthz")[0] == 200


@pytest.mark.parametrize("data", [CHUNKED + CHUNK + b"0\r\n\r\n", of_length(len(BODY))])
def test_what_is_whole_is_answered(server, data):
    assert say(server, data)[0].startswith(b"HTTP/1.1 200 OK")


def test_bodies_that_never_end_hold_no_place_in_the_queue_and_little_memory(server):
    [worker] = [psutil.Process(pid) for pid in server.workers()]
    before = worker.memory_info().rss
    callers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1200)]
    try:
        for caller in callers:
            caller.sendall(of_length(900_000))
        assert server.post(PLAIN, {"instances": [instance()]})[0] == 200
        assert level(server, "arriving") > 1000
        assert level(server, "queue") == 0
        assert worker.memory_info().rss - before < 100 * 2**20
        until = time.monotonic() + 10
        while level(server, "arriving"):
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        for caller in callers:
            caller.close()


class Stuck(Wire):
    """A body of which some came, and no more."""

    def __init__(self, count):
        super().__init__(b"")
        self.count = count

    async def _pieces(self):
        for _ in range(self.count):
            yield bytes(SMALL)
        await asyncio.Event().wait()


def test_bodies_on_their_way_hold_no_more_than_their_share_of_the_memory():
    intake = Intake(ServeSettings(max_bytes=4 * SMALL, body_seconds=0.2))

    async def together():
        stuck = [asyncio.ensure_future(intake.read({}, Stuck(4))) for _ in range(TOGETHER)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="on their way"):
            await intake.read({}, Wire(b" " * 100))
        assert await intake.read({"content-length": "3"}, Wire(b"abc")) == b"abc"
        refused = await asyncio.gather(*stuck, return_exceptions=True)
        assert {type(one).__name__ for one in refused} == {"SlowBody"}
        assert await intake.read({}, Wire(b" " * 100)) == b" " * 100

    asyncio.run(together())
    assert intake.arriving == 0


def test_a_caller_that_is_cancelled_is_not_taken_for_a_slow_one():
    intake = Intake(ServeSettings())

    async def cancelled():
        task = asyncio.ensure_future(intake.read({}, Stuck(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert intake.arriving == 0


def test_a_body_shorter_than_announced_is_refused():
    with pytest.raises(Malformed, match="before it was whole"):
        asyncio.run(Intake(ServeSettings()).read({"content-length": "4"}, Wire(b"abc")))
