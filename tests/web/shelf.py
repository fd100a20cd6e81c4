"""A store in memory: the store floor's own fakes, and the smallest tables a page can read."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from drivetrain.core.protocols import Blobs, Catalog
from drivetrain.store.memory import MemoryBlobs, MemoryCatalog


class Appends(Protocol):
    """What the seed writes rows to; the real tables satisfy it."""

    def append(self, name: str, frame: pl.DataFrame) -> int: ...


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

    def append(self, name: str, frame: pl.DataFrame) -> int:
        before = self._frames.setdefault(name, [])
        before.append(pl.concat([before[-1], frame]) if before else frame)
        return len(before) - 1

    def scan(self, name: str, version: int | None = None) -> pl.LazyFrame:
        return self._frames[name][-1 if version is None else version].lazy()

    def version(self, name: str) -> int | None:
        return len(self._frames[name]) - 1 if name in self._frames else None

    def names(self) -> list[str]:
        return sorted(self._frames)


class FakeShelf:
    """Satisfies web.desk.Shelf."""

    def __init__(self) -> None:
        self.catalog = MemoryCatalog()
        self.tables = FakeTables()
        self.blobs = MemoryBlobs()
