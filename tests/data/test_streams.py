"""Streams of real servers; Kafka's is the mock broker of its own client library, over real sockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager

import nats
import pytest
import redis
from confluent_kafka import Consumer, TopicPartition
from nats.js.api import RetentionPolicy

from drivetrain.core.errors import ProjectError, SourceAway, SourceError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.stream import stream
from drivetrain.data.source import Source
from drivetrain.testing.kafka import running_kafka
from drivetrain.testing.nats import nats_server, running_nats
from drivetrain.testing.readers import Feed, ReaderConformance
from drivetrain.testing.redis import redis_server, running_redis

__all__ = ["nats_server", "redis_server"]

pytestmark = pytest.mark.services


class StreamFeed(Feed):
    def __init__(self, server, name, url=None) -> None:
        self.server = server
        self.name = name
        self.url = url or server.url

    @property
    def reader(self):
        return stream(self.url, self.name, batch_rows=self.most)

    def vanish(self):
        self.server.kill()


class NatsFeed(StreamFeed):
    def deliver(self, rows):
        publish(self.server, self.name, [json.dumps(row).encode() for row in rows])


class RedisFeed(StreamFeed):
    def deliver(self, rows):
        with redis.Redis.from_url(self.url) as client:
            for row in rows:
                client.xadd(self.name, {name: str(value) for name, value in row.items()})


class KafkaFeed(StreamFeed):
    def deliver(self, rows):
        self.server.send(self.name, [(str(row["id"]), json.dumps(row).encode()) for row in rows])


def publish(server, name, values, **settings):
    async def sent():
        client = await nats.connect(server.url)
        jetstream = client.jetstream()
        await jetstream.add_stream(name=name, subjects=[f"{name}.>"], **settings)
        for value in values:
            await jetstream.publish(f"{name}.new", value)
        await client.close()

    asyncio.run(sent())


@contextmanager
def one_of_our_own(request, shared, running):
    """The shared server, or one that may be killed."""
    if "away" not in request.node.name:
        yield shared
        return
    with running() as server:
        yield server


class TestNats(ReaderConformance):
    @pytest.fixture(autouse=True)
    def server(self, request, nats_server):
        with one_of_our_own(request, nats_server, running_nats) as self.nats:
            yield

    def feed(self, folder):
        name = folder.parent.name.replace("_", "")
        publish(self.nats, name, [])
        return NatsFeed(self.nats, name)


class TestRedis(ReaderConformance):
    @pytest.fixture(autouse=True)
    def server(self, request, redis_server):
        with one_of_our_own(request, redis_server, running_redis) as self.redis:
            yield

    def feed(self, folder):
        return RedisFeed(self.redis, "orders", self.redis.fresh())


class TestKafka(ReaderConformance):
    @pytest.fixture(autouse=True)
    def server(self, monkeypatch):
        monkeypatch.setattr("drivetrain.adapters.kafka.topic._SECONDS", 3.0)
        with running_kafka() as self.kafka:
            yield

    def feed(self, folder):
        name = self.kafka.topic()
        self.kafka.send(name, [])
        return KafkaFeed(self.kafka, name)


del ReaderConformance

CONTRACT = Contract({"id": Column("string"), "x": Column("int")})


def test_a_message_without_a_value_takes_its_key_out(place):
    with running_kafka() as kafka:
        kafka.send("t", [("a", b'{"x": 1}'), ("b", b'{"x": 2}')])
        reader = stream(kafka.url, "t", key="id", deleted="gone", received="at")
        source = Source(name="t", reader=reader, key=("id",), contract=CONTRACT, deleted="gone")
        place.take(source)
        assert sorted((row["id"], row["x"]) for row in place.rows("t")) == [("a", 1), ("b", 2)]
        assert place.rows("t")[0]["at"].startswith("20")
        kafka.send("t", [("a", None), ("b", b'{"x": 3}')])
        assert place.pending(source) == "2 new messages"
        place.take(source)
        assert [(row["id"], row["x"]) for row in place.rows("t")] == [("b", 3)]


def test_the_group_is_told_of_nothing_that_is_not_in_the_table(tmp_path):
    with running_kafka() as kafka:
        kafka.send("t", [("a", b'{"x": %d}' % number) for number in range(10)])
        reader = stream(kafka.url, "t", batch_rows=4, options={"group": "ours"})
        consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": "ours", "log_level": 0})

        def told():
            return max(
                one.offset for one in consumer.committed([TopicPartition("t", part) for part in range(4)], timeout=10)
            )

        reading = reader.read(tmp_path, "")
        first = next(reading)
        assert told() < 0
        second = next(reading)
        assert told() == 4
        reading.close()
        # Killed behind its commit, before it could tell: the next reading begins by telling.
        assert [batch.rows.height for batch in reader.read(tmp_path, second.cursor)] == [2]
        assert told() == 10
        assert [batch.rows.height for batch in reader.read(tmp_path, first.cursor)] == [4, 2]
        consumer.close()


def test_redis_entries_may_hold_json_and_a_group_is_told(tmp_path, redis_server):
    url = redis_server.fresh()
    with redis.Redis.from_url(url) as client:
        client.xadd("s", {"data": '{"a": [1, 2], "b": 2.5}'})
        client.xadd("s", {"data": "no JSON"})
        reader = stream(url, "s", options={"field": "data", "group": "ours"}, key="id")
        [batch] = reader.read(tmp_path, "")
        assert batch.rows.drop("id").to_dicts() == [{"a": "[1,2]", "b": 2.5}]
        assert "JSON is malformed" in batch.unreadable[0].reason
        assert client.xinfo_groups("s")[0]["last-delivered-id"].decode() in batch.cursor
        client.set("text", "x")
        with pytest.raises(SourceError, match="is no stream; found a string"):
            list(stream(url, "text").read(tmp_path, ""))
        assert list(stream(url, "nothing").read(tmp_path, "")) == []


def test_messages_that_were_removed_unread_are_not_passed_over_quietly(tmp_path, nats_server):
    publish(nats_server, "SHORT", [b'{"x": %d}' % number for number in range(10)], max_msgs=4)
    reader = stream(nats_server.url, "SHORT", batch_rows=3)
    batches = list(reader.read(tmp_path, ""))
    assert [row["x"] for batch in batches for row in batch.rows.to_dicts()] == [6, 7, 8, 9]
    early = '{"SHORT": "2"}'
    with pytest.raises(SourceError, match=r'removed 4 messages that were never read.*lost="skip"'):
        list(reader.read(tmp_path, early))
    skipping = stream(nats_server.url, "SHORT", lost="skip")
    assert sum(batch.rows.height for batch in skipping.read(tmp_path, early)) == 4


def test_nats_streams_that_can_not_be_read_are_named(tmp_path, nats_server):
    publish(nats_server, "WORK", [b"{}"], retention=RetentionPolicy.WORK_QUEUE)
    with pytest.raises(SourceError, match="forgets messages when somebody acknowledges them"):
        list(stream(nats_server.url, "WORK").read(tmp_path, ""))
    with pytest.raises(SourceError, match=r"stream NOWHERE of nats://.* is not there"):
        list(stream(nats_server.url, "NOWHERE").read(tmp_path, ""))
    with pytest.raises(SourceAway, match=r"stream S of nats://127\.0\.0\.1:1 can't be read"):
        list(stream("nats://me:hidden@127.0.0.1:1", "S").read(tmp_path, ""))


def test_only_a_subject(tmp_path, nats_server):
    publish(nats_server, "SOME", [b'{"x": 1}', b"[]"])
    reader = stream(nats_server.url, "SOME", options={"subject": "SOME.other"})
    assert reader.pending(tmp_path, "") is None or list(reader.read(tmp_path, "")) == []
    reader = stream(nats_server.url, "SOME", options={"subject": "SOME.new"}, key="subject")
    [batch] = reader.read(tmp_path, "")
    assert batch.rows.to_dicts() == [{"x": 1, "subject": "SOME.new"}]
    assert "at SOME:2" in batch.unreadable[0].reason
    assert reader.pending(tmp_path, batch.cursor) is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "amqp://host"}, "not the URL of a broker"),
        ({"lost": "maybe"}, "fail or skip"),
        ({"batch_rows": 0}, "1 or more"),
    ],
)
def test_impossible_settings_are_refused(settings, words):
    with pytest.raises(ProjectError, match=words):
        stream(**{"url": "kafka://host", "name": "t", **settings})
