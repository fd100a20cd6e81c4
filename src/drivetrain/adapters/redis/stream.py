"""A stream of Redis or Valkey, read by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import redis
from redis import exceptions

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.core.streams import Lane, Message, Positions

T = TypeVar("T")

_SECONDS = 10.0
_MOST = 1_000


class RedisStream:
    """A stream; its one lane is its key, a position the id of an entry.

    Args:
        url: ``redis://host:port/database``.
        name: The key.
        options: ``field``: the field that holds a JSON object; by default an entry's fields are the row. ``group``: the
            consumer group whose last delivered id is set to what was kept.
        words: What is read, for messages.
    """

    def __init__(self, url: str, name: str, options: Mapping[str, str], words: str) -> None:
        self._name, self._words = name, words
        self._field, self._group = options.get("field"), options.get("group")
        self._client: Any = redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=5)

    def lanes(self, after: Positions) -> dict[str, Lane]:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        kind = self._asked(lambda: self._client.type(self._name)).decode()
        if kind not in ("stream", "none"):
            raise SourceError(f"{self._words} is no stream", found=f"a {kind}", do="Check the key")
        newest = self._asked(lambda: self._client.xrevrange(self._name, count=1))
        if not newest:
            return {self._name: Lane(after[self._name])} if self._name in after else {}
        last = newest[0][0].decode()
        read = after.get(self._name)
        return {self._name: Lane(last if read is None else max(last, read, key=_order))}

    def take(self, after: Positions, upto: Positions, most: int) -> list[Message]:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        last = upto.get(self._name)
        made: list[Message] = []
        read = after.get(self._name)
        while last is not None and read != last and len(made) < most:
            start, count = f"({read}" if read else "-", min(_MOST, most - len(made))
            got = self._asked(partial(self._client.xrange, self._name, start, last, count=count))
            if not got:
                break
            made += [self._message(entry[0].decode(), entry[1]) for entry in got]
            read = made[-1].position
        return made

    def acknowledge(self, after: Positions) -> None:
        """As of :class:`~drivetrain.core.streams.StreamClient`: sets the group's last delivered id, if there is one."""
        if self._group is None or self._name not in after:
            return
        at = after[self._name]
        try:
            self._client.xgroup_setid(self._name, self._group, at)
        except exceptions.ResponseError:
            self._asked(lambda: self._client.xgroup_create(self._name, self._group, at))
        except exceptions.RedisError as error:
            raise self._plainly(error) from None

    def close(self) -> None:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        self._client.close()

    def _message(self, position: str, fields: Mapping[bytes, bytes]) -> Message:
        at = 1000 * int(position.partition("-")[0])
        if self._field is not None:
            return Message(self._name, position, fields.get(self._field.encode()), position, at)
        row = {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()}
        return Message(self._name, position, row, position, at)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except exceptions.RedisError as error:
            raise self._plainly(error) from None

    def _plainly(self, error: exceptions.RedisError) -> SourceError:
        away = isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError) and not isinstance(
            error, exceptions.AuthenticationError
        )
        said = f"{self._words} can't be read: {str(error).rstrip('.')}"
        return (SourceAway if away else SourceError)(said, do="Check the server and the URL")


def _order(position: str) -> tuple[int, int]:
    first, _, second = position.partition("-")
    return int(first), int(second)
