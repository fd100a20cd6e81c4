"""A server that is away, dies, is full or refuses: one plain error, at once, without the password."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing

import pytest
from redis import Redis

from adapters.redis.answering import answering
from drivetrain.adapters.redis.address import Address
from drivetrain.adapters.redis.online import RedisOnline
from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, SettingsError, StoreError
from drivetrain.testing.online import adding
from drivetrain.testing.redis import running_redis


def said_of(call):
    """What the error says, and how many seconds it took."""
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        call()
    return str(caught.value), time.monotonic() - began


def wait_for_room(call):
    """Calls until it is taken: a server frees what was dropped in the background."""
    for _ in range(200):
        try:
            return call()
        except StoreError:
            time.sleep(0.05)
    return call()


def calls_of(online):
    return [
        lambda: online.read("a@1", [b"1"]),
        lambda: online.read_many([("a@1", b"1")]),
        lambda: online.write("a@1", [(b"1", b"one")], mark=b"1"),
        lambda: online.update("a@1", adding(b"1")),
        lambda: online.mark("a@1"),
        lambda: online.delete("a@1", [b"1"]),
        lambda: online.drop("a@1"),
        online.spaces,
    ]


@pytest.mark.parametrize("place", ["redis://u:secret@127.0.0.1:1/3", "unix://u:secret@/no/such/socket?password=secret"])
def test_a_server_that_is_away_is_named_at_once(place):
    said, seconds = said_of(lambda: RedisOnline(place))
    assert "can't be reached" in said
    assert "mend [store] online" in said
    assert "secret" not in said
    assert seconds < 0.5


def test_a_server_that_hangs_is_waited_for_a_second():
    with answering(b"") as url:
        said, seconds = said_of(lambda: RedisOnline(url))
    assert "does not answer" in said
    assert 0.8 < seconds < 2


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (b"-LOADING Redis is loading the dataset in memory", r"is still loading its rows\. Wait"),
        (b"-NOAUTH Authentication required.", r"refuses this user; found Authentication required\. Mend user"),
        (
            b"-NOPERM this user has no permissions to run the 'info' command",
            "refuses this user; found this user has no",
        ),
        (b"-MISCONF Errors writing to the AOF file: No space", "refuses a command; found MISCONF Errors writing.*Mend"),
        (b"-READONLY You can't write against a read only replica.", "refuses a command; found You can't write"),
        (b"?", "can't be understood"),
    ],
)
def test_what_a_server_refuses_is_said_plainly(reply, wanted):
    with answering(reply + b"\r\n") as url, pytest.raises(StoreError, match=wanted):
        RedisOnline(url)


@pytest.mark.services
@pytest.mark.usefixtures("redis_server")
def test_a_server_killed_between_calls_and_started_again():
    with running_redis() as server, closing(RedisOnline(server.url())) as online:
        online.write("a@1", [(b"1", b"one")], mark=b"1")
        server.kill()
        for call in calls_of(online):
            said, seconds = said_of(call)
            assert f"the online store redis://127.0.0.1:{server.port}/0 can't be reached" in said
            assert seconds < 0.5
        with running_redis(port=server.port):
            assert online.read("a@1", [b"1"]) == [None]
            assert (online.mark("a@1"), online.spaces()) == (None, {}), "rows and mark are lost together"
            online.write("a@1", [(b"1", b"one")])
            assert online.read_many([("a@1", b"1")]) == [b"one"]


@pytest.mark.services
@pytest.mark.usefixtures("redis_server")
def test_a_server_killed_in_the_middle_of_a_write_and_of_an_update():
    with running_redis() as server, closing(RedisOnline(server.url())) as online:

        def rows():
            yield from ((b"%d" % number, bytes(1000)) for number in range(5000))
            server.kill()
            yield b"last", b""

        said, seconds = said_of(lambda: online.write("a@1", rows(), mark=b"1"))
        assert "can't be reached" in said
        assert seconds < 5
    with running_redis() as server, closing(RedisOnline(server.url())) as online:

        def change(read):
            read([b"1"])
            server.kill()
            return [(b"1", b"one")]

        assert "can't be reached" in said_of(lambda: online.update("a@1", change))[0]


@pytest.mark.services
@pytest.mark.usefixtures("redis_server")
def test_a_server_that_stops_is_not_waited_for_long():
    with running_redis() as server, closing(RedisOnline(server.url())) as online:
        online.write("a@1", [(b"1", b"one")])
        server.process.send_signal(signal.SIGSTOP)
        try:
            said, seconds = said_of(lambda: online.read_many([("a@1", b"1")]))
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert "does not answer" in said
        assert seconds < 3
        assert online.read_many([("a@1", b"1")]) == [b"one"], "an answer that came late is nobody else's"


def larger(read):
    return [(b"1", (read([b"1"])[0] or b"") + bytes(200_000))]


@pytest.mark.services
@pytest.mark.usefixtures("redis_server")
def test_a_full_server_keeps_what_it_has_and_nothing_of_the_rest():
    with running_redis("--maxmemory", "4mb") as server, closing(RedisOnline(server.url())) as online:
        online.write("a@1", [(b"1", b"1")], mark=b"1")

        def more(number):
            online.write("a@1", [(b"%d %d" % (number, key), bytes(1000)) for key in range(50)], mark=b"%d" % number)

        said, _ = said_of(lambda: [more(number) for number in range(1000)])
        assert "is full" in said
        assert "Raise the server's maxmemory" in said
        last = int(online.mark("a@1"))
        assert online.spaces() == {"a@1": 1 + 50 * (last + 1)}
        assert online.read("a@1", [b"%d 0" % last, b"%d 0" % (last + 1)]) == [bytes(1000), None]
        assert "is full" in said_of(lambda: online.write("b@1", [(b"1", bytes(8_000_000))]))[0]
        assert "is full" in said_of(lambda: [online.update("b@1", larger, mark=b"1") for _ in range(100)])[0]
        row = online.read("b@1", [b"1"])[0]
        assert (online.mark("b@1"), online.spaces().get("b@1")) == ((None, None) if row is None else (b"1", 1))
        assert "is full" in said_of(lambda: online.update("b@1", larger, mark=b"2"))[0]
        assert (online.read("b@1", [b"1"]), online.mark("b@1") == b"2") == ([row], False)
        online.update("a@1", lambda _: [(b"1", None)])  # room can be made
        assert online.read("a@1", [b"1"]) == [None]
        online.delete("a@1", [b"0 0"])
        assert online.read("a@1", [b"0 0"]) == [None]
        online.drop("a@1")
        wait_for_room(lambda: online.write("a@1", [(b"1", b"1")]))
        assert online.spaces() == {"a@1": 1}


@pytest.mark.services
@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("policy", ["allkeys-lru", "noeviction"])
def test_a_server_that_throws_rows_away_is_refused(policy):
    with running_redis("--maxmemory", "100mb", "--maxmemory-policy", policy) as server:
        if policy == "noeviction":
            RedisOnline(server.url()).close()
            return
        with pytest.raises(StoreError, match=r"throws rows away.*found maxmemory-policy:allkeys-lru; expected.*noevic"):
            RedisOnline(server.url())


@pytest.mark.services
@pytest.mark.usefixtures("redis_server")
def test_a_wrong_password_is_not_repeated():
    with running_redis("--requirepass", "right/wéird") as server:
        place = f"127.0.0.1:{server.port}/0"
        RedisOnline(f"redis://:right%2Fw%C3%A9ird@{place}").close()
        for wrong in (f"redis://:wrong@{place}", f"redis://someone:wrong@{place}", f"redis://{place}"):
            said, _ = said_of(lambda wrong=wrong: RedisOnline(wrong))
            assert f"the online store redis://{place} refuses this user" in said
            assert "Mend user and password" in said
            assert "wrong@" not in said


@pytest.mark.services
def test_a_database_that_is_not_there_is_named(redis_server):
    with pytest.raises(StoreError, match=r"/99999 refuses a command; found DB index is out of range\. Mend"):
        RedisOnline(redis_server.url(99999))


@pytest.mark.services
def test_somebody_elses_key_is_not_overwritten(redis_server):
    url = redis_server.fresh()
    with Redis.from_url(url) as client, closing(RedisOnline(url)) as online:
        client.set("drivetrain:rows:a@1", "not a hash")
        with pytest.raises(StoreError, match="refuses a command; found WRONGTYPE"):
            online.read("a@1", [b"1"])
        with pytest.raises(StoreError, match="WRONGTYPE"):
            online.write("a@1", [(b"1", b"one")])


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("http://host", "http://host"),
        ("redis:u:secret@host", "redis://host"),
        ("redis://:sec/ret@host:1/0", "redis://host:1/0"),
        ("redis://u:secret@host:x1/0", "redis://host:x1/0"),
        ("redis://u:secret@host/orders", "redis://host/orders"),
        ("redis://host/0/1?password=secret", "redis://host/0/1"),
        ("redis://u:secret@host?nonsense=1", "redis://host"),
        ("redis://u:secret@host?protocol=9", "redis://host"),
        ("redis://u:secret@host?socket_timeout=soon", "redis://host"),
    ],
)
def test_urls_that_are_none_are_refused_without_their_password(place, name):
    with pytest.raises(SettingsError, match=r"can't be read.*expected redis://") as caught:
        RedisOnline(place)
    assert repr(name) in str(caught.value)
    assert "sec" not in str(caught.value)
    assert "secret" not in repr(caught.value.__context__) or caught.value.__suppress_context__


def test_urls_that_are_taken():
    for place in (
        "redis://host",
        "rediss://u:secret@host:1/2?ssl_cert_reqs=none",
        "valkeys://host/",
        "unix:///a/b?db=3",
    ):
        assert "secret" not in repr(Address(place))


def test_the_line_that_installs_it_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("drivetrain.adapters.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtra, match=r'pip install "drivetrain\[redis\]"'):
        plugins.load("online", "redis")
