"""A project folder with a store in it, and a short way to take sources in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from drivetrain.core.progress import Silent
from drivetrain.core.records import TableVersion
from drivetrain.core.settings import StoreSettings
from drivetrain.data import quarantine
from drivetrain.data.ingest import ingest, pending
from drivetrain.data.source import Source
from drivetrain.store.bundle import Store
from drivetrain.store.memory import MemoryBlobs, MemoryCatalog, MemoryLeases, MemoryOnline, MemoryRunLog
from drivetrain.store.tables import Tables

NOW = 1_372_636_800_000_000


@dataclass
class Place:
    """A project folder and its store."""

    folder: Path
    store: Store
    sources: dict[str, Source] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def take(self, source: Source, now: int = NOW) -> TableVersion:
        self.sources[source.name] = source
        return ingest(self.store, source, folder=self.folder, now=now, progress=Silent(), sources=self.sources)

    def pending(self, source: Source) -> str | None:
        return pending(self.store, source, self.folder)

    def rows(self, name: str) -> list[dict[str, Any]]:
        frame = self.store.tables.read(name).sort("_seq")
        return frame.select(pl.exclude("^_.*$")).to_dicts()

    def refused(self, name: str) -> list[tuple[int | None, list[str], str]]:
        table = quarantine.table_name(name)
        if self.store.tables.version(table) is None:
            return []
        return self.store.tables.read(table).select("_line", "_reasons", "_row").rows()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    store = Store(
        catalog=MemoryCatalog(),
        tables=Tables(tmp_path / ".drivetrain" / "tables"),
        blobs=MemoryBlobs(),
        online=MemoryOnline(),
        leases=MemoryLeases(),
        run_log=MemoryRunLog(),
        settings=StoreSettings(),
        folder=tmp_path,
    )
    return Place(tmp_path, store)
