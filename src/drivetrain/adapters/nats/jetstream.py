"""One stream, read by sequence through a consumer that lasts as long as the reading does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import nats
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy
from nats.js.errors import NotFoundError

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.core.streams import Lane, Message, Positions

T = TypeVar("T")

_SECONDS = 10.0
_FETCHED = 1_000


class JetStream:
    """A stream that keeps its messages until a limit is met; its one lane is the stream, a position its sequence.

    Args:
        url: ``nats://host:port``, with ``user:password@`` or ``token@`` if need be.
        name: The stream.
        options: ``subject``: only messages of that subject, wildcards allowed.
        words: What is read, for messages.
    """

    def __init__(self, url: str, name: str, options: Mapping[str, str], words: str) -> None:
        self._name, self._words, self._subject = name, words, options.get("subject")
        self._loop = asyncio.new_event_loop()
        self._subscription: Any = None
        self._next = 0
        try:
            # Where no attempt is allowed to be the last one, the library tries for ever.
            settings = {"connect_timeout": 5, "allow_reconnect": False, "max_reconnect_attempts": 1}
            connecting = partial(nats.connect, url, error_cb=_unheard, **settings)
            self._client: Any = self._asked(lambda: asyncio.wait_for(connecting(), 2 * _SECONDS))
        except BaseException:
            self._loop.close()
            raise
        self._jetstream = self._client.jetstream(timeout=_SECONDS)

    def lanes(self, after: Positions) -> dict[str, Lane]:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        try:
            info = self._asked(lambda: self._jetstream.stream_info(self._name))
        except SourceError as error:
            if isinstance(error.__cause__, NotFoundError):
                raise SourceError(f"{self._words} is not there", do="Check the stream's name") from None
            raise
        if info.config.retention not in (None, RetentionPolicy.LIMITS):
            raise SourceError(
                f"{self._words} forgets messages when somebody acknowledges them",
                found=f"retention {info.config.retention}",
                expected="retention limits",
                do="Give it, or a mirror of it, that retention",
            )
        first, last = info.state.first_seq, info.state.last_seq
        subject = self._subject
        if subject is not None:
            try:
                last = self._asked(lambda: self._jetstream.get_last_msg(self._name, subject)).seq or 0
            except SourceError as error:
                if not isinstance(error.__cause__, NotFoundError):
                    raise
                last = 0
        read = int(after.get(self._name, first - 1))
        last = max(last, read if self._name in after else 0)
        if not info.state.messages and self._name not in after:
            return {}
        waiting = max(0, last - max(read, first - 1)) if self._subject is None else None
        return {self._name: Lane(str(last), waiting, max(0, first - 1 - read))}

    def take(self, after: Positions, upto: Positions, most: int) -> list[Message]:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        last, read = int(upto.get(self._name, 0)), int(after.get(self._name, 0))
        if read >= last:
            return []
        if self._subscription is None or self._next != read + 1:
            self._asked(lambda: self._subscribe(read + 1))
        made: list[Message] = []
        while len(made) < most and read < last:
            got = self._asked(partial(self._fetched, min(_FETCHED, most - len(made), last - read)))
            if not got:
                raise SourceAway(f"{self._words} can't be read: the server gives nothing", do="Look at the server")
            for message in got:
                read = message.metadata.sequence.stream
                if read <= last:
                    at = int(message.metadata.timestamp.timestamp() * 1_000_000)
                    made.append(Message(self._name, str(read), message.data, message.subject, at))
        self._next = read + 1
        return made

    def acknowledge(self, after: Positions) -> None:
        """Nothing: a stream that keeps its messages has nobody who wants to know."""

    def close(self) -> None:
        """As of :class:`~drivetrain.core.streams.StreamClient`."""
        if self._loop.is_closed():
            return
        try:
            self._loop.run_until_complete(self._closed())
        finally:
            self._loop.close()

    async def _closed(self) -> None:
        try:
            if self._subscription is not None and self._client.is_connected:
                await self._subscription.unsubscribe()
        except (NatsError, OSError, TimeoutError):
            pass  # the server removes a consumer that nobody asks
        await self._client.close()

    async def _subscribe(self, start: int) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.EXPLICIT,
            max_ack_pending=-1,  # none is ever acknowledged: the table knows what was read
            inactive_threshold=60.0,
        )
        self._subscription = await self._jetstream.pull_subscribe(
            self._subject or ">", stream=self._name, config=config
        )

    async def _fetched(self, number: int) -> list[Any]:
        try:
            found: list[Any] = await self._subscription.fetch(number, timeout=_SECONDS)
        except NatsTimeout:
            return []
        return found

    def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        async def asked() -> T:
            return await ask()

        try:
            return self._loop.run_until_complete(asked())
        except (
            NatsTimeout,
            nats.errors.NoServersError,
            OSError,
            TimeoutError,
            nats.errors.ConnectionClosedError,
        ) as error:
            raise SourceAway(
                f"{self._words} can't be read: {str(error) or type(error).__name__}", do="Check the server's address"
            ) from error
        except NatsError as error:
            raise SourceError(f"{self._words} can't be read: {error}", do="Check the server and the stream") from error


async def _unheard(_: Exception) -> None:
    """What goes wrong is raised where it is asked for; there is nobody to tell it a second time."""
