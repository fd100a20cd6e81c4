"""A store of tables in memory, to materialise from without Delta."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import polars as pl

from drivetrain.core.errors import StoreError
from drivetrain.data.contract import Contract
from drivetrain.features.online import lay, row
from drivetrain.store.memory import MemoryOnline


class FakeTables:
    """Versions of tables, as :class:`drivetrain.store.tables.Tables` shows them."""

    def __init__(self) -> None:
        self.versions: dict[str, list[pl.DataFrame]] = {}
        self.erased: set[tuple[str, int]] = set()

    def put(self, name: str, frame: pl.DataFrame) -> int:
        """A new version, with these rows and no others."""
        self.versions.setdefault(name, []).append(frame)
        return len(self.versions[name]) - 1

    def scan(self, name: str, version: int | None = None) -> pl.LazyFrame:
        at = len(self.versions[name]) - 1 if version is None else version
        if (name, at) in self.erased:
            raise StoreError(f"table {name} has no version {version}")
        return self.versions[name][at].lazy()

    def rows(self, name: str, version: int | None = None) -> int:
        return len(self.versions[name][-1 if version is None else version])


class FakeStore:
    """The parts of a store that features use."""

    def __init__(self, online: Any = None) -> None:
        self.tables = FakeTables()
        self.online = online or MemoryOnline()


@dataclass(frozen=True)
class Rows:
    """A source as a pusher sees it."""

    name: str = "events"
    key: tuple[str, ...] = ("_seq",)
    time: str | None = "_event_time"
    available: str | None = "_available_at"
    delay: int = 0
    contract: Contract = field(default_factory=Contract)


@contextmanager
def pages_of(size: int) -> Iterator[None]:
    """Heads keep at most so many events, pages have so many, and few lie inline: small entities meet every way."""
    with (
        mock.patch.object(lay, "SMALL", min(size // 2, 4)),
        mock.patch.object(lay, "FLAT", size),
        mock.patch.object(lay, "PAGE", size),
        mock.patch.object(row, "PAGE", size),
    ):
        yield
