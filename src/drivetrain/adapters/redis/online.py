"""Online rows in Redis: a hash a space, so that a space counts itself and goes in one step."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from drivetrain.adapters.redis.server import Command, Script, Server
from drivetrain.core.errors import StoreError
from drivetrain.core.protocols import Reader

T = TypeVar("T")

_SPACES = b"drivetrain:spaces"
_ROWS = b"drivetrain:rows:"
_BATCH = 256
_TRIES = 100
_PAUSE_SECONDS = 0.02

_READ = Script("""
local found = {}
for i = 1, #KEYS do found[i] = redis.call('HGET', KEYS[i], ARGV[i]) end
return found
""")

_COUNT = Script("""
local found = {}
for i, space in ipairs(redis.call('HKEYS', KEYS[1])) do
  found[2 * i - 1] = space
  found[2 * i] = redis.call('HLEN', ARGV[1] .. space)
end
return found
""")

_DROP = Script("""
redis.call('UNLINK', KEYS[1])
redis.call('HDEL', KEYS[2], ARGV[1])
""")
"""No transaction: a full server takes nothing into one, be it to make room."""

_UPDATE = Script("""
local at = 7
local function take(count)
  local first = at
  at = at + count
  return first, at - 1
end
local first, last = take(2 * ARGV[3])
for i = first, last, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
end
first, last = take(ARGV[4])
for i = first, last do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then return 0 end
end
first, last = take(2 * ARGV[5])
for i = first, last, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if last > first then redis.call('HSETNX', KEYS[2], ARGV[1], '') end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
first, last = take(ARGV[6])
for i = first, last do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1
""")
"""Keeps rows if those that were read are still the same. ``ARGV``: the space, its mark, and how many there are of what
follows: rows as they were read, keys that had none, rows to keep, keys to delete. What needs memory comes first: a full
server refuses the first such step, and lets a script that has begun to write come to its end."""

_SCRUB_SECONDS = 60.0
_UNDER_WAY = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")


class RedisOnline:
    """:class:`~drivetrain.core.protocols.OnlineStore` in Redis or Valkey; safe between threads and in a forked child.

    A space is a hash, and one hash more holds every space's mark: no index of keys is kept, and none is scanned. An
    update is compared and kept by a script: writers of other rows never come in its way, and one that comes first makes
    ``change`` be called again. A write whose answer never came was kept whole or not at all.

    A project has a database of its own, of one server (no cluster), and rows live as long as the server keeps them: one
    that comes back empty has lost the marks too, and is filled anew.

    Args:
        url: ``redis://[USER:PASSWORD@]HOST[:PORT][/DB]``, ``rediss://`` for TLS, or ``unix://PATH[?db=DB]``. The server
            has 1 s to be reached, 1 s to answer and 30 s to take a write; ``?socket_timeout=SECONDS`` in the place of
            the last two.

    Raises:
        SettingsError: It is no such URL.
        StoreError: The server is away, refuses the user, or would throw rows away when it is full.
    """

    def __init__(self, url: str) -> None:
        self._server = Server(url)
        policy = next((line for line in self._memory() if line.startswith("maxmemory_policy:allkeys")), None)
        if policy is not None:
            raise StoreError(
                f"the online store {self._server.name} throws rows away when it is full",
                found=policy.replace("_", "-"),
                expected="maxmemory-policy:noeviction",
                do="Run: redis-cli config set maxmemory-policy noeviction",
            )

    def read(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of the keys, in order; all as of one moment."""
        rows: list[bytes | None] = self._server.ask("HMGET", _rows(space), *keys) if keys else []
        return rows

    def read_many(self, asks: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
        """Rows from several spaces in one round trip, all as of one moment."""
        keys = [key for _, key in asks]
        rows: list[bytes | None] = self._server.run(_READ, [_rows(space) for space, _ in asks], keys) if asks else []
        return rows

    def read_in_place(
        self, asks: Sequence[tuple[str, Sequence[bytes]]], use: Callable[[Sequence[bytes | memoryview | None]], T]
    ) -> T:
        """What ``use`` makes of rows of several spaces, in one round trip."""
        return use(self.read_many([(space, key) for space, keys in asks for key in keys]))

    def write(self, space: str, rows: Iterable[tuple[bytes, bytes]], *, mark: bytes | None = None) -> None:
        """Keeps rows and, with them or not at all, the space's mark; rows are sent as they come."""

        def commands() -> Iterator[Command]:
            some = False
            for batch in _batches(rows):
                some = True
                yield "HSET", _rows(space), *(part for row in batch for part in row)
            if mark is not None:
                yield "HSET", _SPACES, space.encode(), _entry(mark)
            elif some:
                yield "HSETNX", _SPACES, space.encode(), _entry(None)

        self._server.transact(commands())

    def update(
        self,
        space: str,
        change: Callable[[Reader], Iterable[tuple[bytes, bytes | None]]],
        *,
        mark: bytes | None = None,
    ) -> None:
        """Reads, then writes if what was read is still so; else begins again, a hundred times at most."""
        for number in range(_TRIES):
            seen: dict[bytes, bytes | None] = {}
            changed = dict(change(_remembering(lambda keys: self.read(space, keys), seen)))
            there, absent = _parted(seen)
            kept, deleted = _parted(changed)
            counts = [len(there) // 2, len(absent), len(kept) // 2, len(deleted)]
            arguments: list[bytes | int] = [space.encode(), _entry(mark), *counts, *there, *absent, *kept, *deleted]
            if self._server.run(_UPDATE, [_rows(space), _SPACES], arguments):
                return
            time.sleep(random.uniform(0.0, min(_PAUSE_SECONDS, 0.0005 * number)))  # noqa: S311 - only parts writers
        raise StoreError(
            f"other writers changed the same rows of {space} every time",
            found=f"{_TRIES} tries",
            expected="fewer writers of one key",
            do="Let one process write a key, or try again",
        )

    def keys(self, space: str) -> list[bytes]:
        """Every key of a space."""
        keys: list[bytes] = self._server.ask("HKEYS", _rows(space), patient=True)
        return keys

    def mark(self, space: str) -> bytes | None:
        """The mark of the last write that set one."""
        entry: bytes | None = self._server.ask("HGET", _SPACES, space.encode())
        return entry[1:] if entry else None

    def delete(self, space: str, keys: Iterable[bytes]) -> None:
        """Forgets keys; ones that are not there change nothing."""
        if gone := list(keys):
            self._server.ask("HDEL", _rows(space), *gone)

    def drop(self, space: str) -> None:
        """Forgets a space and its mark; the server frees the rows in the background."""
        self._server.run(_DROP, [_rows(space), _SPACES], [space.encode()])

    def scrub(self) -> None:
        """Has the server write its append-only file and its snapshot anew where it keeps them, and waits for it.

        What is deleted leaves its memory at once. Replicas and copies of its files are beyond this.

        Raises:
            StoreError: It does not let this user, or is not done in a minute.
        """
        kept = self._persistence()
        if kept.get("aof_enabled") == "1":
            self._server.ask("BGREWRITEAOF", patient=True)
        if kept.get("rdb_last_save_time") and self._snapshots():
            self._server.ask("BGSAVE", "SCHEDULE", patient=True)
        until = time.monotonic() + _SCRUB_SECONDS
        while any(self._persistence().get(name) == "1" for name in _UNDER_WAY):
            if time.monotonic() > until:
                raise StoreError(
                    f"the online store {self._server.name} is still writing its files", do="Try again later"
                )
            time.sleep(0.05)

    def _persistence(self) -> dict[str, str]:
        text: bytes = self._server.ask("INFO", "persistence")
        return dict(line.split(":", 1) for line in text.decode().splitlines() if ":" in line)

    def _snapshots(self) -> bool:
        found: list[bytes] = self._server.ask("CONFIG", "GET", "save")
        return len(found) > 1 and bool(found[1])

    def spaces(self) -> dict[str, int]:
        """Every space and how many rows it holds."""
        found = iter(self._server.run(_COUNT, [_SPACES], [_ROWS]))
        return {space.decode(): rows for space, rows in zip(found, found, strict=True)}

    def close(self) -> None:
        """Lets go of the connections."""
        self._server.close()

    def _memory(self) -> list[str]:
        told: bytes = self._server.ask("INFO", "memory")
        return told.decode().split()


def _rows(space: str) -> bytes:
    return _ROWS + space.encode()


def _entry(mark: bytes | None) -> bytes:
    """A mark as it is kept: one that is empty is not one that was never set."""
    return b"" if mark is None else b"=" + mark


def _batches(parts: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for part in parts:
        batch.append(part)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _remembering(read: Reader, seen: dict[bytes, bytes | None]) -> Reader:
    """Reads every key once, and notes what was there."""

    def remembered(keys: Sequence[bytes]) -> list[bytes | None]:
        fresh = [key for key in dict.fromkeys(keys) if key not in seen]
        seen.update(zip(fresh, read(fresh), strict=True))
        return [seen[key] for key in keys]

    return remembered


def _parted(rows: dict[bytes, bytes | None]) -> tuple[list[bytes], list[bytes]]:
    """Keys and rows side by side, and the keys that have none."""
    there = [part for key, row in rows.items() if row is not None for part in (key, row)]
    return there, [key for key, row in rows.items() if row is None]
