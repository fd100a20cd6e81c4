"""Online rows in LMDB: one memory-mapped B+tree, read by every process without a lock."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import compress
from pathlib import Path
from typing import TypeVar

import lmdb
import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.protocols import Reader
from drivetrain.store.environments import Durability, share
from drivetrain.store.slack import clear_slack

T = TypeVar("T")

_PREFIX = 8
_LONGEST_KEY = 511 - _PREFIX
_MANY = 64
"""Keys from which on a look at whether there is anything between them pays."""
_SPACES = bytes(_PREFIX)
"""Prefix of the entries that describe spaces; that a space has it itself would take a digest of eight zero bytes."""


class _Space(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a space: its name, how many rows it holds, and its mark."""

    name: str
    rows: int
    mark: bytes | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Space).decode


class _Prefixes(dict[str, bytes]):
    """Space → the eight bytes its keys begin with: a digest of the name, so that no process needs another's table."""

    def __missing__(self, space: str) -> bytes:
        prefix = self[space] = bytes.fromhex(digest_bytes(space.encode("utf-8")))[:_PREFIX]
        return prefix


class LmdbOnline:
    """:class:`~drivetrain.core.protocols.OnlineStore` in a folder; safe between threads and in a forked child.

    All spaces live in one tree, a row under its space's prefix and its own key. Writers take turns, readers wait for
    nobody.

    Args:
        folder: Where the two files are; made if it is not there.
        gib: Upper bound of the map, in GiB.
        durability: What a write outlives when it returns. ``process``: the death of any process; a power cut may lose
            the last ones and, as it may leave a file that has to be filled anew, a write with a mark is flushed to
            disk before it returns. ``disk``: a power cut may undo the last ones, whole, and spoils nothing.

    Raises:
        StoreError: The folder can't be made, holds no whole store, or is open in this process with less durability.
    """

    def __init__(self, folder: Path, gib: float = 8.0, durability: Durability = "process") -> None:
        self._gib = gib
        self._shared = share(folder, int(gib * 1024**3), durability)
        self._prefix = _Prefixes()
        self._described: set[str] = set()
        self._closed = False

    def read(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of the keys, in order; all as of one moment."""
        prefix = self._prefix[space]
        try:
            with self._shared.environment.begin() as transaction:
                get = transaction.get
                rows = [get(prefix + key) for key in keys]
        except lmdb.ReadersFullError:
            return self._again([(space, key) for key in keys])
        except lmdb.Error as error:
            raise self._plainly("read", error) from error
        if None in rows and any(len(key) > _LONGEST_KEY for key in keys):
            return self._again([(space, key) for key in keys])
        return rows

    def read_many(self, asks: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
        """Rows from several spaces, all as of one moment."""
        prefix = self._prefix
        try:
            with self._shared.environment.begin() as transaction:
                get = transaction.get
                rows = [get(prefix[space] + key) for space, key in asks]
        except lmdb.ReadersFullError:
            return self._again(asks)
        except lmdb.Error as error:
            raise self._plainly("read", error) from error
        if None in rows and any(len(key) > _LONGEST_KEY for _, key in asks):
            return self._again(asks)
        return rows

    def read_in_place(
        self, asks: Sequence[tuple[str, Sequence[bytes]]], use: Callable[[Sequence[bytes | memoryview | None]], T]
    ) -> T:
        """What ``use`` makes of rows of several spaces, which it sees where they lie in the map."""
        prefix = self._prefix
        placed = [prefix[space] + key for space, keys in asks for key in keys]
        try:
            with self._shared.environment.begin(buffers=True) as transaction:
                rows = list(map(transaction.get, placed))
                if None not in rows or max(map(len, placed)) <= _LONGEST_KEY + _PREFIX:
                    return use(rows)
        except lmdb.ReadersFullError:
            pass
        except lmdb.Error as error:
            raise self._plainly("read", error) from error
        return use([*self._again([(space, key) for space, keys in asks for key in keys])])

    def _again(self, asks: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
        """What the quick way can't do: keys beyond LMDB's length, and a table of readers filled by dead ones."""
        with self._plain("read"):
            self._shared.environment.reader_check()
            with self._shared.environment.begin() as transaction:
                return [transaction.get(self._prefix[space] + _short(key)) for space, key in asks]

    def write(self, space: str, rows: Iterable[tuple[bytes, bytes]], *, mark: bytes | None = None) -> None:
        """Keeps rows and, with them or not at all, the space's mark."""
        with self._plain("written"):
            with self._shared.environment.begin(write=True) as transaction:
                self._keep(transaction, space, rows, mark)
            if mark is not None and self._shared.durability == "process":
                self._shared.environment.sync(force=True)

    def update(
        self,
        space: str,
        change: Callable[[Reader], Iterable[tuple[bytes, bytes | None]]],
        *,
        mark: bytes | None = None,
    ) -> None:
        """Reads and writes in one transaction; a mark is not flushed, as a write's is."""
        there: set[bytes] = set()
        try:
            with self._shared.environment.begin(write=True) as transaction:
                rows = list(change(partial(_read, transaction, self._prefix[space], there)))
                if mark is None and space in self._described and _are_there(rows, there):
                    # As many rows as before: to ask how many would cost half of what it takes to write one again.
                    _put(transaction, self._prefix[space], rows)
                else:
                    self._keep(transaction, space, rows, mark)
        except lmdb.Error as error:
            raise self._plainly("written", error) from error

    def _keep(
        self,
        transaction: lmdb.Transaction,
        space: str,
        rows: Iterable[tuple[bytes, bytes | None]],
        mark: bytes | None,
    ) -> None:
        prefix = self._prefix[space]
        known = self._describe(transaction, space)
        before = transaction.stat()["entries"]
        _put(transaction, prefix, rows)
        grown = transaction.stat()["entries"] - before
        if grown or (mark is not None and mark != known.mark):
            fresh = _Space(space, known.rows + grown, known.mark if mark is None else mark)
            transaction.put(_SPACES + prefix, _encode(fresh))

    def keys(self, space: str) -> list[bytes]:
        """Every key of a space but those that are too long for LMDB."""
        prefix, found = self._prefix[space], []
        with self._plain("read"), self._shared.environment.begin() as transaction:
            cursor = transaction.cursor()
            cursor.set_range(prefix)
            for key in cursor.iternext(values=False):
                if key[:_PREFIX] != prefix:
                    break
                if len(key) < _PREFIX + _LONGEST_KEY:
                    found.append(key[_PREFIX:])
        return found

    def mark(self, space: str) -> bytes | None:
        """The mark of the last write that set one."""
        with self._plain("read"), self._shared.environment.begin() as transaction:
            return self._describe(transaction, space).mark

    def delete(self, space: str, keys: Iterable[bytes]) -> None:
        """Forgets keys; ones that are not there change nothing."""
        with self._plain("written"), self._shared.environment.begin(write=True) as transaction:
            self._keep(transaction, space, ((key, None) for key in keys), None)

    def drop(self, space: str) -> None:
        """Forgets a space and its mark."""
        prefix = self._prefix[space]
        with self._plain("written"), self._shared.environment.begin(write=True) as transaction:
            self._describe(transaction, space)
            transaction.delete(_SPACES + prefix)
            cursor = transaction.cursor()
            while cursor.set_range(prefix) and cursor.key()[:_PREFIX] == prefix:
                cursor.delete()

    def scrub(self) -> None:
        """Overwrites what the file still holds of rows that were deleted or replaced."""
        with self._plain("scrubbed"):
            clear_slack(self._shared.environment)

    def spaces(self) -> dict[str, int]:
        """Every space and how many rows it holds."""
        found = {}
        with self._plain("read"), self._shared.environment.begin() as transaction:
            cursor = transaction.cursor()
            cursor.set_range(_SPACES)
            for key, value in cursor:
                if key[:_PREFIX] != _SPACES:
                    break
                space = _decode(value)
                found[space.name] = space.rows
        return found

    def close(self) -> None:
        """Lets go of the files, once however often it is called; the last of a process to do so closes them."""
        if not self._closed:
            self._closed = True
            self._shared.release()

    def _describe(self, transaction: lmdb.Transaction, space: str) -> _Space:
        raw = transaction.get(_SPACES + self._prefix[space])
        if raw is None:
            return _Space(space, 0, None)
        known = _decode(raw)
        if known.name != space:
            raise StoreError(
                f"the online spaces {known.name!r} and {space!r} have the same digest", do="Rename one of the two views"
            )
        self._described.add(space)
        return known

    @contextmanager
    def _plain(self, verb: str) -> Iterator[None]:
        try:
            yield
        except lmdb.Error as error:
            raise self._plainly(verb, error) from error

    def _plainly(self, verb: str, error: lmdb.Error) -> StoreError:
        if isinstance(error, lmdb.MapFullError):
            return StoreError(
                f"the online store {self._shared.folder} is full",
                found=f"{self._gib:g} GiB used",
                do="Raise [store] online_gib in drivetrain.toml, then run the command again",
            )
        return StoreError(
            f"the online store {self._shared.folder} can't be {verb}: {error}",
            do="Free some disk space or mend the folder; it can be filled anew from the tables",
        )


def _read(
    transaction: lmdb.Transaction[bytes], prefix: bytes, there: set[bytes], keys: Sequence[bytes]
) -> list[bytes | None]:
    """Rows of the keys; those that have one are put into ``there``."""
    get = transaction.get
    placed = [prefix + (key if len(key) <= _LONGEST_KEY else _short(key)) for key in keys]
    if len(placed) >= _MANY:
        # A space that is filled in the order of its keys has nothing yet where the next of them will lie.
        cursor = transaction.cursor()
        if not cursor.set_range(min(placed)) or cursor.key() > max(placed):
            return [None] * len(placed)
    rows = [get(key) for key in placed]
    there.update(compress(keys, rows))  # an empty row passes for none, and is asked after again
    return rows


def _are_there(rows: Iterable[tuple[bytes, bytes | None]], there: Container[bytes]) -> bool:
    """Whether all these keys have rows, and keep them."""
    for key, row in rows:  # noqa: SIM110 - a generator costs more than all this, for the one row of a push
        if row is None or key not in there:
            return False
    return True


def _put(transaction: lmdb.Transaction, prefix: bytes, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
    put = transaction.cursor().put  # it stays where it is: the next key is often its neighbour
    for key, row in rows:
        placed = prefix + (key if len(key) <= _LONGEST_KEY else _short(key))
        if row is None:
            transaction.delete(placed)
        else:
            put(placed, row)


def _short(key: bytes) -> bytes:
    """The key itself, or a digest in its place where LMDB has no room for it."""
    if len(key) <= _LONGEST_KEY:
        return key
    return key[: _LONGEST_KEY - 32] + digest_bytes(key).encode()
