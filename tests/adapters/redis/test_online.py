from __future__ import annotations

import multiprocessing
import os
import threading
from contextlib import closing, contextmanager

import pytest
from redis import Redis
from redis.connection import Connection

from drivetrain.adapters.redis import server as module
from drivetrain.adapters.redis.online import RedisOnline
from drivetrain.core import plugins
from drivetrain.core.errors import StoreError
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.testing.kill import run_killed
from drivetrain.testing.online import SharedOnlineConformance, adding

pytestmark = pytest.mark.services


@pytest.fixture
def url(redis_server):
    return redis_server.fresh()


@pytest.fixture
def online(url):
    with closing(RedisOnline(url)) as online:
        yield online


class TestRedisOnline(SharedOnlineConformance):
    @pytest.fixture(autouse=True)
    def server(self, redis_server):
        self.redis = redis_server

    @contextmanager
    def fresh(self):
        self.url = self.redis.fresh()
        with closing(RedisOnline(self.url)) as online:
            yield online

    def elsewhere(self, online):
        return f"from drivetrain.adapters.redis import online as opened\nonline = opened({self.url!r})"


def test_is_there_by_name_and_by_every_scheme(redis_server, tmp_path):
    assert plugins.load("online", "redis") is RedisOnline
    rest = redis_server.fresh().removeprefix("redis:")
    database = rest.rpartition("/")[2]
    for place in (f"redis:{rest}", f"valkey:{rest}", f"unix://{redis_server.socket}?db={database}"):
        store = open_store(StoreSettings(online=place), tmp_path)
        store.online.update("plane@1", adding(b"N1"))
        found = store.online.read("plane@1", [b"N1"])
        store.close()
    assert found == [b"3"]


def test_reads_of_many_spaces_are_one_round_trip(url, online, monkeypatch):
    online.write("a@1", [(b"1", b"one")])
    online.write("b@1", [(b"1", b"two")])
    asks = [("a@1", b"1"), ("b@1", b"1"), ("none@1", b"1")]
    online.read_many(asks)  # the script is known from here on
    sent = []
    send = Connection.send_packed_command

    def counted(self, command, **options):
        sent.append(command)
        return send(self, command, **options)

    with Redis.from_url(url) as client:
        client.config_resetstat()
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "send_packed_command", counted)
            assert online.read_many(asks) == [b"one", b"two", None]
            assert len(sent) == 1
            assert online.read("a@1", [b"1", b"2"]) == [b"one", None]
            assert len(sent) == 2
        calls = {name.removeprefix("cmdstat_"): told["calls"] for name, told in client.info("commandstats").items()}
    told = {name: count for name, count in calls.items() if name in {"evalsha", "eval", "hget", "hmget", "mget"}}
    assert told == {"evalsha": 1, "hget": 3, "hmget": 1}, "hget is what the script calls"


def test_a_server_that_forgot_its_scripts_is_told_them_again(url, online):
    online.write("a@1", [(b"1", b"one")])
    with Redis.from_url(url) as client:
        client.script_flush()
    assert online.read_many([("a@1", b"1")]) == [b"one"]
    assert online.spaces() == {"a@1": 1}


def test_an_update_begins_again_when_another_writer_came_first(online):
    calls = []

    def change(read):
        rows = read([b"N1", b"N2"])
        if len(calls) < 3:
            other = [b"N1", b"N2", b"N9"][len(calls)]
            online.write("plane@1", [(other, b"%d" % len(calls))])
        calls.append(rows)
        return [(b"N1", b"mine")]

    online.update("plane@1", change, mark=b"1")
    assert calls == [[None, None], [b"0", None], [b"0", b"1"]], "a row that was not read is in nobody's way"
    assert online.read("plane@1", [b"N1", b"N2", b"N9"]) == [b"mine", b"1", b"2"]
    assert (online.mark("plane@1"), online.spaces()) == (b"1", {"plane@1": 3})


def test_an_update_reads_a_key_once(online):
    online.write("plane@1", [(b"N1", b"one")])

    def change(read):
        first = read([b"N1", b"N1"])
        online.write("plane@1", [(b"N1", b"two")])
        seen.append((first, read([b"N1"])))
        return [] if len(seen) == 1 else [(b"N2", b"done")]

    seen = []
    with pytest.raises(StoreError, match=r"other writers changed .* plane@1 every time; found 100 tries"):
        online.update("plane@1", lambda read: [*change(read), online.write("plane@1", [(b"N1", os.urandom(8))])][:0])
    assert seen[0] == ([b"one", b"one"], [b"one"])
    assert online.read("plane@1", [b"N2"]) == [None]


def test_a_fill_of_many_slices_is_seen_whole_or_not_at_all(online, monkeypatch):
    monkeypatch.setattr(module, "_SLICE_BYTES", 10_000)
    seen = []

    def rows():
        for number in range(2000):
            if number == 1500:
                seen.append((online.spaces(), online.mark("plane@1"), online.read("plane@1", [b"1"])))
            yield b"%d" % number, bytes(100)

    online.write("plane@1", rows(), mark=b"1")
    assert seen == [({}, None, [None])]
    assert online.spaces() == {"plane@1": 2000}
    assert online.read("plane@1", [b"0", b"1999"]) == [bytes(100)] * 2

    def broken():
        yield from rows()
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="own"):
        online.write("plane@2", broken(), mark=b"1")
    assert online.spaces() == {"plane@1": 2000}
    online.delete("plane@1", [b"%d" % number for number in range(1999)])
    assert online.spaces() == {"plane@1": 1}


def test_threads_share_one_store(online):
    online.write("plane@1", [(b"%d" % number, b"%d" % number) for number in range(8)])
    wrong = []

    def read(number):
        key = b"%d" % number
        wrong.extend(found for _ in range(200) if (found := online.read_many([("plane@1", key)])) != [key])

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(online):
    def work():
        for number in range(100):
            assert online.read("plane@1", [b"N1"]) == [b"one"]
            online.write("plane@1", [(b"child", b"%d" % number)])

    online.write("plane@1", [(b"N1", b"one")])
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    for number in range(100):
        online.write("plane@1", [(b"N2", b"%d" % number)])
        assert online.read("plane@1", [b"N2"]) == [b"%d" % number]
    child.join()
    assert child.exitcode == 0
    assert online.read("plane@1", [b"child", b"N2"]) == [b"99", b"99"]


FILL = """
import sys
from drivetrain.adapters.redis import online as opened
from drivetrain.testing.kill import armed
online = opened(sys.argv[1])
last = int(online.mark("plane@1") or 0)
armed()
for number in range(last + 1, 10**9):
    online.write("plane@1", [(b"%d" % key, b"%d" % number * 100) for key in range(50)], mark=b"%d" % number)
    print(number)
"""


def test_rows_and_mark_of_a_killed_writer_stay_together(url, online):
    for seconds in (0.0, 0.05, 0.13):
        ending = run_killed(FILL, url, seconds=seconds)
        assert ending.killed
        mark = online.mark("plane@1")
        rows = set(online.read("plane@1", [b"%d" % key for key in range(50)]))
        assert rows == ({None} if mark is None else {mark * 100})
        assert int(mark or 0) >= max(map(int, ending.lines), default=0)
