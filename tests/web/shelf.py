"""A store in memory: the store floor's own fakes, and the smallest tables a page can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import polars as pl

from drivetrain.core.protocols import Blobs, Catalog
from drivetrain.store.memory import MemoryBlobs, MemoryCatalog, MemoryOnline, MemoryRunLog


class Appends(Protocol):
    """What the seed writes rows to; the real tables satisfy it."""

    def append(self, name: str, frame: pl.DataFrame, *, note: Mapping[str, str] | None = None) -> int: ...


class Shelf(Protocol):
    """What the seed fills."""

    @property
    def catalog(self) -> Catalog: ...
    @property
    def tables(self) -> Appends: ...
    @property
    def blobs(self) -> Blobs: ...


class FakeTables:
    """Satisfies web.desk.TableReader, and appends."""

    def __init__(self) -> None:
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._notes: dict[tuple[str, int], dict[str, str]] = {}

    def append(self, name: str, frame: pl.DataFrame, *, note: Mapping[str, str] | None = None) -> int:
        before = self._frames.setdefault(name, [])
        before.append(pl.concat([before[-1], frame]) if before else frame)
        self._notes[name, len(before) - 1] = dict(note or {})
        return len(before) - 1

    def read(self, name: str, version: int | None = None) -> pl.DataFrame:
        return self.scan(name, version).collect()

    def rows(self, name: str, version: int | None = None) -> int:
        return self.read(name, version).height

    def has(self, name: str, version: int) -> bool:
        return 0 <= version < len(self._frames.get(name, ()))

    def note(self, name: str, version: int) -> dict[str, str]:
        return self._notes[name, version]

    def scan(self, name: str, version: int | None = None) -> pl.LazyFrame:
        return self._frames[name][-1 if version is None else version].lazy()

    def version(self, name: str) -> int | None:
        return len(self._frames[name]) - 1 if name in self._frames else None

    def names(self) -> list[str]:
        return sorted(self._frames)


class FakeShelf:
    """Satisfies web.desk.Shelf, and holds what the project's own reports read."""

    def __init__(self) -> None:
        self.catalog = MemoryCatalog()
        self.tables = FakeTables()
        self.blobs = MemoryBlobs()
        self.run_log = MemoryRunLog()
        self.pickles: frozenset[str] = frozenset()
        self.online = MemoryOnline()
