"""Talking to a server: commands, scripts and transactions, and what it says when it can't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any

from redis import exceptions
from redis.connection import ConnectionPool

from drivetrain.adapters.redis.address import Address
from drivetrain.core.errors import StoreError

Command = Sequence[str | bytes | int]

_SECONDS = 1.0
_PATIENT_SECONDS = 30.0
_SLICE_BYTES = 1024 * 1024


class Script:
    """A Lua program that the server runs with nothing else in between.

    Args:
        text: The program; gets ``KEYS`` and ``ARGV``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


class Server:
    """A server, spoken to through connections of one's own; safe between threads and in a forked child.

    Args:
        url: As of :class:`~drivetrain.adapters.redis.address.Address`.

    Raises:
        SettingsError: It is no such URL.
    """

    def __init__(self, url: str) -> None:
        address = Address(url)
        self.name = address.name
        self._quick = address.pool(_SECONDS)
        self._patient = address.pool(_PATIENT_SECONDS)

    def ask(self, *command: str | bytes | int, patient: bool = False) -> Any:  # noqa: ANN401 - depends on the command
        """The answer to one command: one round trip. Whoever is patient waits as long as a write may take."""
        with self._connection(self._patient if patient else self._quick) as connection:
            connection.send_command(*command)
            return connection.read_response()

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[bytes | int]) -> Any:  # noqa: ANN401
        """What a script returns: one round trip, two the first time a server sees it."""
        with self._connection(self._quick) as connection:
            connection.send_command("EVALSHA", script.digest, len(keys), *keys, *arguments)
            try:
                return connection.read_response()
            except exceptions.NoScriptError:
                connection.send_command("EVAL", script.text, len(keys), *keys, *arguments)
                return connection.read_response()

    def transact(self, commands: Iterable[Command]) -> None:
        """Does all commands at one moment or, if one is refused or the iterable raises, none.

        They are sent as they come, a slice at a time, and done by the server when it has them all.
        """
        with self._connection(self._patient) as connection:
            try:
                waiting: list[Command] = [("MULTI",)]
                size = 0
                for command in commands:
                    waiting.append(command)
                    size += sum(len(part) for part in command if isinstance(part, bytes))
                    if size > _SLICE_BYTES:
                        _exchange(connection, waiting)
                        waiting, size = [], 0
                answers = _exchange(connection, [*waiting, ("EXEC",)])[-1]
            except BaseException:
                connection.disconnect()  # with it the server forgets what it was told so far
                raise
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer

    def close(self) -> None:
        """Lets go of the connections."""
        self._quick.disconnect()
        self._patient.disconnect()

    @contextmanager
    def _connection(self, pool: ConnectionPool) -> Iterator[Any]:
        try:
            connection = pool.get_connection()
            try:
                yield connection
            finally:
                pool.release(connection)
        except exceptions.RedisError as error:
            raise self._plainly(error) from error

    def _plainly(self, error: exceptions.RedisError) -> StoreError:
        store, said = f"the online store {self.name}", str(error).rstrip(".")
        if "'maxmemory'" in said:
            return StoreError(f"{store} is full", found=said, do="Raise the server's maxmemory, then try again")
        if isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError):
            return StoreError(f"{store} refuses this user", found=said, do="Mend user and password in [store] online")
        if isinstance(error, exceptions.BusyLoadingError):
            return StoreError(f"{store} is still loading its rows", do="Wait until it is done, then try again")
        if isinstance(error, exceptions.TimeoutError):
            return StoreError(f"{store} does not answer", found=said, do="See what keeps the server, then try again")
        if isinstance(error, exceptions.ConnectionError):
            return StoreError(f"{store} can't be reached", found=said, do="Start it, or mend [store] online")
        reason = "refuses a command" if isinstance(error, exceptions.ResponseError) else "can't be understood"
        return StoreError(f"{store} {reason}", found=said, do="Mend the server's settings, or [store] online")


def _exchange(connection: Any, commands: Sequence[Command]) -> list[Any]:  # noqa: ANN401 - redis-py's are untyped
    connection.send_packed_command([b"".join(connection.pack_commands(commands))])  # one call of the kernel
    return [connection.read_response() for _ in commands]
