"""Rows from a stream of messages: what is there now, in batches; the positions are kept with the rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import msgspec

from drivetrain.core import plugins
from drivetrain.core.clock import iso
from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.streams import Lane, Message, StreamClient
from drivetrain.data.reader import Batch, Unreadable
from drivetrain.data.readers.columns import frame_of_rows

Lost: TypeAlias = Literal["fail", "skip"]
BATCH_ROWS = 10_000
_SCHEMES = ("kafka", "nats", "redis", "rediss")


@dataclass(frozen=True)
class Stream:
    """A stream; see :func:`stream`."""

    url: str
    name: str
    key: str | None = None
    deleted: str | None = None
    received: str | None = None
    lost: Lost = "fail"
    batch_rows: int = BATCH_ROWS
    options: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it reads and how; not of where the broker is, nor how much at a time."""
        return digest(["stream", urlsplit(self.url).scheme, self.name, self.key, self.deleted, self.received])

    @property
    def words(self) -> str:
        """What it reads, for people; never a password."""
        parts = urlsplit(self.url)
        return f"stream {self.name} of {parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def fingerprint(self, folder: Path) -> Digest:  # noqa: ARG002 - a broker is nowhere near the project
        """Digest of where the stream ends.

        Raises:
            SourceError: The broker or the stream is not there.
        """
        with closing(self._client()) as client:
            return digest({lane: found.last for lane, found in client.lanes({}).items()})

    def pending(self, folder: Path, cursor: str) -> str | None:  # noqa: ARG002 - as above
        """How many messages wait."""
        after = _decode(cursor)
        with closing(self._client()) as client:
            behind = {lane: found for lane, found in client.lanes(after).items() if found.last != after.get(lane)}
        if not behind:
            return None
        counts = [found.waiting for found in behind.values()]
        number = sum(count for count in counts if count is not None) if None not in counts else None
        return "new messages" if number is None else f"{number} new message{'s' if number > 1 else ''}"

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:  # noqa: ARG002 - as above
        """Batches of messages up to where the stream ended when reading began.

        The broker is told of a batch only when the next one is asked for, which is when its rows are in the table.

        Raises:
            SourceAway: The broker does not answer.
            SourceError: There is no such stream, or messages were removed before they were read.
        """
        after = _decode(cursor)
        with closing(self._client()) as client:
            lanes = client.lanes(after)
            self._check(lanes)
            upto = {lane: found.last for lane, found in lanes.items()}
            if after:
                client.acknowledge(after)
            while messages := client.take(after, upto, self.batch_rows):
                after = {**after, **{message.lane: message.position for message in messages}}
                yield self._batch(messages, after)
                client.acknowledge(after)

    def _check(self, lanes: Mapping[str, Lane]) -> None:
        lost = sum(found.lost for found in lanes.values())
        if lost and self.lost == "fail":
            raise SourceError(
                f"{self.words} has removed {lost:,} messages that were never read",
                do='Keep them longer there, or accept the gap: dt.stream(…, lost="skip")',
            )

    def _batch(self, messages: Sequence[Message], after: Mapping[str, str]) -> Batch:
        rows: list[dict[str, Any]] = []
        bad: list[Unreadable] = []
        for number, message in enumerate(messages, start=1):
            try:
                rows.append(self._row(message))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                value = message.value if isinstance(message.value, bytes) else b""
                reason = f"unreadable row: {error}; at {message.lane}:{message.position}"
                bad.append(Unreadable(number, reason, value.decode("utf-8", "replace")))
        cursor = msgspec.json.encode(dict(sorted(after.items()))).decode()
        return Batch(rows=frame_of_rows(rows), cursor=cursor, origin=self.words, unreadable=tuple(bad))

    def _row(self, message: Message) -> dict[str, Any]:
        if message.value is None:
            if self.key is None or self.deleted is None:
                raise msgspec.DecodeError("found no value, expected an object")
            row: dict[str, Any] = {self.key: message.key, self.deleted: True}
        elif isinstance(message.value, bytes):
            row = _decoder.decode(message.value)
        else:
            row = dict(message.value)
        if self.deleted is not None:
            row.setdefault(self.deleted, False)
        if self.key is not None:
            row.setdefault(self.key, message.key)
        if self.received is not None:
            row[self.received] = iso(message.at)
        return row

    def _client(self) -> StreamClient:
        scheme = urlsplit(self.url).scheme
        made: StreamClient = plugins.load("stream", "redis" if scheme == "rediss" else scheme)(
            os.path.expandvars(self.url),
            self.name,
            {name: os.path.expandvars(value) for name, value in self.options.items()},
            self.words,
        )
        return made


_decoder = msgspec.json.Decoder(dict[str, Any])


def stream(
    url: str,
    name: str,
    *,
    key: str | None = None,
    deleted: str | None = None,
    received: str | None = None,
    lost: Lost = "fail",
    batch_rows: int = BATCH_ROWS,
    options: Mapping[str, str] | None = None,
) -> Stream:
    """Rows from a stream of messages whose values are JSON objects.

    Each run takes in what is there when it begins. How far each lane was read is committed with the rows; the broker is
    told afterwards, so that it never believes more to be kept than is.

    Args:
        url: ``kafka://host:9092`` (all that speak Kafka's protocol), ``nats://host:4222`` (JetStream) or
            ``redis://host:6379/0`` (Redis and Valkey streams). ``${NAME}`` is read from the environment.
        name: The topic, JetStream stream, or key.
        key: Column that the message's key goes into (the subject, for NATS; the id, for Redis).
        deleted: Column that is set to true for a message without a value, as Kafka's compacted topics have them: name
            it as the source's ``deleted`` too, and the row with that key is taken out.
        received: Column for the moment at which the broker got the message.
        lost: What to do when messages were removed before they were read: ``fail`` or ``skip``.
        batch_rows: Messages that are committed together.
        options: More for the client: Kafka's settings by their own names; ``subject`` for NATS; ``group``, the consumer
            group that is told how far reading has come (Kafka, Redis).

    Raises:
        ProjectError: The URL is of no broker that is known.

    Example:
        >>> stream("kafka://broker:9092", "orders").words
        'stream orders of kafka://broker:9092'
    """
    if urlsplit(url).scheme not in _SCHEMES:
        raise ProjectError("not the URL of a broker", found=repr(url), expected=f"one of {', '.join(_SCHEMES)}://…")
    if lost not in get_args(Lost):
        raise ProjectError("lost messages are treated in another way", found=repr(lost), expected="fail or skip")
    if batch_rows < 1:
        raise ProjectError("a batch holds messages", found=batch_rows, expected="1 or more")
    return Stream(url, name, key, deleted, received, lost, batch_rows, dict(options or {}))


def _decode(cursor: str) -> dict[str, str]:
    return msgspec.json.decode(cursor, type=dict[str, str]) if cursor else {}
