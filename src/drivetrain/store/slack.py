"""Bytes that LMDB's file holds and no row does.

Rows that were deleted stay in free pages, in gaps of pages, and in the keys that part pages, until they are reused.
The layout is that of LMDB 0.9 (``mdb.c``: MDB_page, MDB_node, MDB_meta) on a 64-bit machine. A page's head is its
number, flags, and the bounds of its gap; two pages hold the metas, of which each commit writes the older; a tree's root
is named in them. What neither meta reaches, no reader of the last two commits can see.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import lmdb

from drivetrain.core.errors import StoreError

_PAGE = struct.Struct("<QHHHH")  # number, padding, flags, lower, upper
_NODE = struct.Struct("<HHHH")  # size low, size high, flags, key's length
_META = struct.Struct("<IIQQ")  # magic, version, address, size
_TREE = struct.Struct("<IHHQQQQQ")  # padding, flags, depth, branch, leaf, overflow, entries, root
_TAIL = struct.Struct("<QQ")  # last page, transaction
_MAGIC = 0xBEEFC0DE
_BRANCH, _META_PAGE = 1, 8
_BIG = 1
_NOTHING = (1 << 64) - 1
_MARKER = b"\xff" * 8 + b"scrub"
_WAIT_SECONDS = 20.0


class _Meta(NamedTuple):
    roots: tuple[int, int]
    last: int
    transaction: int


def clear_slack(environment: lmdb.Environment) -> int:
    """Overwrites with zeros what no row needs; how many bytes were not zero before.

    Writers wait meanwhile, readers don't. It may be killed at any instant. A process that goes on writing may bring
    back a little of what it had in its memory, in the gaps of pages it writes: clear again when it has come to rest.

    Raises:
        StoreError: A reader has looked at one old moment for too long, or the file is of another layout.
    """
    # Two commits, so that both metas name trees without what was deleted.
    for deletes in (False, True):
        with environment.begin(write=True) as transaction:
            if deletes:
                transaction.delete(_MARKER)
            else:
                transaction.put(_MARKER, b"")
    path = Path(environment.path()) / "data.mdb"
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        environment.reader_check()
        with environment.begin(write=True) as writer:  # held for its lock; nothing is written through it
            if not _is_read_at_an_old_moment(environment):
                cleared = _clear(path, environment.stat()["psize"])
                writer.abort()
                return cleared
            writer.abort()
        if time.monotonic() > deadline:
            raise StoreError(f"{path} is being read as of an old moment", do="Stop what reads it, then try again")
        time.sleep(0.02)


def _is_read_at_an_old_moment(environment: lmdb.Environment) -> bool:
    last = int(environment.info()["last_txnid"])
    fields = (line.split() for line in str(environment.readers()).splitlines()[1:])
    return any(len(field) >= 3 and field[2].isdigit() and int(field[2]) < last - 1 for field in fields)


def _clear(path: Path, size: int) -> int:
    cleared = 0
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        metas = [_meta(view, at * size, path) for at in range(2)]
        pages = _Pages(view, size)
        for meta in metas:
            for root in meta.roots:
                pages.walk(root)
            cleared += _write(file.fileno(), _separators(pages.take(meta.roots[1])))
        every = len(view) // size
        gaps = [*pages.gaps, *((page * size, size) for page in range(every) if page not in pages.seen)]
        for start, length in gaps:
            held = view[start : start + length]
            dirty = length - held.count(0)
            if dirty:
                os.pwrite(file.fileno(), bytes(length), start)
                cleared += dirty
        os.fsync(file.fileno())
    return cleared


def _meta(view: mmap.mmap, start: int, path: Path) -> _Meta:
    flags = _PAGE.unpack_from(view, start)[2]
    at = start + 16
    magic = _META.unpack_from(view, at)[0]
    if magic != _MAGIC or not flags & _META_PAGE:
        raise StoreError(f"{path} is not laid out as expected, and its free pages can't be cleared", found=hex(magic))
    trees = at + _META.size
    roots = tuple(_TREE.unpack_from(view, trees + number * _TREE.size)[7] for number in range(2))
    last, transaction = _TAIL.unpack_from(view, trees + 2 * _TREE.size)
    return _Meta((roots[0], roots[1]), last, transaction)


class _Pages:
    """What trees reach: their pages, and the gaps in them."""

    def __init__(self, view: mmap.mmap, size: int) -> None:
        self._view = view
        self._size = size
        self._ends: dict[int, tuple[bytes, bytes]] = {}
        self.seen = {0, 1}
        self.gaps: list[tuple[int, int]] = []

    def walk(self, page: int) -> tuple[bytes, bytes]:
        """Marks a tree's pages as seen; its first key and its last."""
        if page == _NOTHING:
            return b"", b""
        if page not in self._ends:
            self.seen.add(page)
            start = page * self._size
            _, _, flags, lower, upper = _PAGE.unpack_from(self._view, start)
            self.gaps.append((start + lower, upper - lower))
            nodes = self._nodes(page)
            if flags & _BRANCH:
                ends = [self.walk(node.child) for node in nodes]
                self._ends[page] = ends[0][0], ends[-1][1]
            else:
                for node in nodes:
                    if node.kind & _BIG:
                        self._overflow(node)
                self._ends[page] = (nodes[0].key, nodes[-1].key) if nodes else (b"", b"")
        return self._ends[page]

    def take(self, page: int) -> Iterator[tuple[int, bytes, bytes, bytes]]:
        """Keys that part the pages of a tree that was walked: place, key, the last before it, the first not before."""
        if page == _NOTHING or not _PAGE.unpack_from(self._view, page * self._size)[2] & _BRANCH:
            return
        nodes = self._nodes(page)
        for before, node in pairwise(nodes):
            yield node.at + _NODE.size, node.key, self._ends[before.child][1], self._ends[node.child][0]
        for node in nodes:
            yield from self.take(node.child)

    def _nodes(self, page: int) -> list[_Node]:
        view, start = self._view, page * self._size
        found = []
        for place in range(16, _PAGE.unpack_from(view, start)[3], 2):
            at = start + int.from_bytes(view[start + place : start + place + 2], "little")
            low, high, kind, length = _NODE.unpack_from(view, at)
            found.append(_Node(at, low | high << 16, kind, view[at + _NODE.size : at + _NODE.size + length]))
        return found

    def _overflow(self, node: _Node) -> None:
        """The pages of one long row, and the gap after it."""
        at = node.at + _NODE.size + len(node.key)
        first = int.from_bytes(self._view[at : at + 8], "little")
        if first not in self.seen:
            start = first * self._size
            many = int.from_bytes(self._view[start + 12 : start + 16], "little")
            self.seen.update(range(first, first + many))
            self.gaps.append((start + 16 + node.size, many * self._size - 16 - node.size))


class _Node(NamedTuple):
    at: int
    size: int
    kind: int
    key: bytes

    @property
    def child(self) -> int:
        return self.size | self.kind << 32


def _separators(found: Iterable[tuple[int, bytes, bytes, bytes]]) -> Iterator[tuple[int, int]]:
    """Single bytes to write, in order, until no key that parts two pages is that of a row which is gone.

    Such a key may be anything after the last key before it, up to the first key not before it. Readers look at it
    meanwhile, so that it must be right after every byte.
    """
    for place, key, before, after in found:
        if key == after:
            continue
        apart = _first_difference(key, before)
        rises = _first_difference(key, after)
        if rises < apart:  # what follows may grow: the key is below the next one already
            yield from ((place + at, 0xFF) for at in range(rises + 1, len(key)))
            continue
        yield from ((place + at, 0) for at in range(rises + 1, len(key)))
        if rises < len(key) and key[:rises] + after[rises : rises + 1] + bytes(len(key) - rises - 1) <= after:
            yield place + rises, after[rises]


def _first_difference(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _write(file: int, changes: Iterable[tuple[int, int]]) -> int:
    return sum(os.pwrite(file, bytes([value]), place) for place, value in changes)
