"""A private Kafka cluster for tests: the mock brokers of librdkafka, which speak the real protocol over real sockets.

They keep topics of four partitions, offsets and groups in memory, and know nothing of retention, compaction and
transactions: what a true broker does there has to be tried on one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from confluent_kafka import Producer

_SECONDS = 20


@dataclass
class Kafka:
    """A running cluster of one broker."""

    address: str
    _owner: Producer | None
    _numbers: Iterator[int]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"kafka://{self.address}"

    def topic(self) -> str:
        """The name of a new topic."""
        return f"fresh{next(self._numbers)}"

    def send(self, topic: str, messages: Sequence[tuple[str, bytes | None]]) -> None:
        """Sends keys with values; a key always goes to the same partition."""
        producer = Producer({"bootstrap.servers": self.address, "log_level": 0})
        for key, value in messages:
            producer.produce(topic, value, key=key)
        producer.flush(_SECONDS)

    def kill(self) -> None:
        """Ends it."""
        self._owner = None


@contextmanager
def running_kafka() -> Iterator[Kafka]:
    """Starts a cluster in this process, and ends it with all it holds."""
    owner: Producer | None = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    assert owner is not None
    broker = next(iter(owner.list_topics(timeout=_SECONDS).brokers.values()))
    cluster = Kafka(f"{broker.host}:{broker.port}", owner, count(1))
    owner = None
    try:
        yield cluster
    finally:
        cluster.kill()
