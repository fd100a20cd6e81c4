"""One topic, read from offsets that are kept elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.core.streams import Lane, Message, Positions

T = TypeVar("T")

_SECONDS = 10.0
_PATIENCE = 60.0
_NOBODY = "drivetrain"


class Topic:
    """A topic; a lane is a partition, a position an offset.

    Args:
        url: ``kafka://host:port``, several parted by commas.
        name: The topic.
        options: librdkafka's settings; ``group`` is the consumer group that offsets are committed for.
        words: What is read, for messages.
    """

    def __init__(self, url: str, name: str, options: Mapping[str, str], words: str) -> None:
        self._name, self._words = name, words
        given = dict(options)
        self._group = given.pop("group", None)
        settings = {
            "bootstrap.servers": urlsplit(url).netloc,
            "group.id": self._group or _NOBODY,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "socket.timeout.ms": int(_SECONDS * 1000),
            "log_level": 0,
            **given,
        }
        self._consumer = self._asked(lambda: Consumer(settings))
        self._assigned: dict[str, int] = {}
        self._ended: set[str] = set()

    def lanes(self, after: Positions) -> dict[str, Lane]:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        topic = self._asked(lambda: self._consumer.list_topics(self._name, timeout=_SECONDS)).topics[self._name]
        if topic.error is not None:
            raise SourceError(f"{self._words} is not there: {topic.error.str()}", do="Check the topic's name")
        found = {}
        for partition in topic.partitions:
            low, high = self._bounds(partition)
            lane = str(partition)
            read = int(after[lane]) + 1 if lane in after else low
            if high > low or lane in after:
                last = max(high - 1, read - 1)
                found[lane] = Lane(str(last), max(0, last + 1 - read), max(0, low - read))
        return found

    def take(self, after: Positions, upto: Positions, most: int) -> list[Message]:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        open_lanes = {lane for lane, last in upto.items() if int(after.get(lane, -1)) < int(last)} - self._ended
        if not open_lanes:
            return []
        self._assign({lane: int(after.get(lane, -1)) + 1 for lane in open_lanes})
        made: list[Message] = []
        until = time.monotonic() + _PATIENCE
        while open_lanes and len(made) < most:
            # What is left in the client's own buffers is lost when a lane is assigned anew: take no more than fits.
            for got in self._asked(lambda: self._consumer.consume(most - len(made), timeout=1.0)):
                until = time.monotonic() + _PATIENCE
                lane, error, offset = str(got.partition()), got.error(), got.offset() or 0
                if error is not None:
                    self._heard(error, lane, open_lanes)
                elif lane in open_lanes:
                    self._assigned[lane] = offset + 1
                    if offset <= int(upto[lane]):
                        made.append(_message(lane, got))
                    if offset >= int(upto[lane]):
                        open_lanes.discard(lane)
            if time.monotonic() > until:
                raise SourceAway(f"{self._words} can't be read: the broker gives nothing", do="Look at the broker")
        return made

    def acknowledge(self, after: Positions) -> None:
        """As of :class:`~drivetrain.core.streams.StreamClient`: commits the offsets for the group, if there is one."""
        if self._group is not None:
            offsets = [TopicPartition(self._name, int(lane), int(last) + 1) for lane, last in after.items()]
            self._asked(lambda: self._consumer.commit(offsets=offsets, asynchronous=False))

    def close(self) -> None:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        self._consumer.close()

    def _bounds(self, partition: int) -> tuple[int, int]:
        place = TopicPartition(self._name, partition)
        found = self._asked(lambda: self._consumer.get_watermark_offsets(place, timeout=_SECONDS))
        if found is None:
            raise SourceAway(f"{self._words} can't be read: the broker does not answer", do="Look at the broker")
        return found[0], found[1]

    def _assign(self, starts: Mapping[str, int]) -> None:
        if {lane: self._assigned.get(lane) for lane in starts} == dict(starts):
            return
        places = []
        for lane, start in starts.items():
            low, _ = self._bounds(int(lane))
            places.append(TopicPartition(self._name, int(lane), max(start, low)))
        self._asked(lambda: self._consumer.assign(places))
        self._assigned = dict(starts)

    def _heard(self, error: KafkaError, lane: str, open_lanes: set[str]) -> None:
        # Offsets have gaps, where a topic is compacted or written in transactions: its end may come before the last.
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            open_lanes.discard(lane)
            self._ended.add(lane)
            return
        raise self._plainly(error)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except KafkaException as error:
            raise self._plainly(error.args[0]) from None

    def _plainly(self, error: KafkaError) -> SourceError:
        said = f"{self._words} can't be read: {error.str()}"
        local = error.code() < 0
        return (SourceAway if error.retriable() or local else SourceError)(said, do="Look at the broker")


def _message(lane: str, got: Any) -> Message:  # noqa: ANN401 - confluent_kafka.Message
    key = got.key()
    text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
    return Message(lane, str(got.offset()), got.value(), text, 1000 * max(0, got.timestamp()[1]))
