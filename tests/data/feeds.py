"""Places that the conformance suite of readers delivers to."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from backports import zstd

from drivetrain.data.reader import Reader
from drivetrain.data.readers.files import Files
from drivetrain.data.readers.http import Http, http
from drivetrain.testing.api import Api
from drivetrain.testing.readers import Feed, Row


class FileFeed(Feed):
    """A folder of files; each delivery is one file, in pieces if it is larger than a piece may be."""

    def __init__(self, folder: Path, suffix: str, budget_mib: float) -> None:
        self.folder = folder / "raw"
        self.folder.mkdir()
        self.suffix = suffix
        self.count = 0
        self.budget_mib = budget_mib

    @property
    def reader(self) -> Files:
        return Files(f"raw/*{self.suffix}", budget_mib=self.budget_mib)

    def deliver(self, rows: Sequence[Row]) -> None:
        self.count += 1
        write(pl.DataFrame(rows), self.folder / f"{self.count:03}{self.suffix}")

    def vanish(self) -> None:
        shutil.rmtree(self.folder)


def write(frame: pl.DataFrame, path: Path) -> None:
    """Writes rows in the format of a file's name."""
    inner = path.with_suffix("") if path.suffix in (".gz", ".zst") else path
    {
        ".csv": frame.write_csv,
        ".jsonl": frame.write_ndjson,
        ".parquet": frame.write_parquet,
        ".arrow": frame.write_ipc,
    }[inner.suffix](inner)
    if inner != path:
        data = inner.read_bytes()
        inner.unlink()
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(data))
        else:
            path.write_bytes(zstd.compress(data))


class LinesFeed(Feed):
    """A file of JSON lines that a function reads; a row takes the place of the one with its id."""

    def __init__(self, folder: Path, reading: Callable[[str], Reader]) -> None:
        self.path = folder / "rows.jsonl"
        self.path.touch()
        self.reading = reading

    @property
    def reader(self) -> Reader:
        return self.reading(str(self.path))

    def deliver(self, rows: Sequence[Row]) -> None:
        changed = {row["id"] for row in rows}
        kept = [row for row in written(str(self.path)) if row["id"] not in changed]
        self.path.write_text("".join(f"{json.dumps(row)}\n" for row in [*kept, *rows]), "utf-8")

    def vanish(self) -> None:
        self.path.unlink()


def written(path: str) -> list[Row]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


class ApiFeed(Feed):
    """An HTTP API; what is new is asked for by the moment."""

    most = 50

    def __init__(self, api: Api, pages: str, cursor: str | None) -> None:
        self.api = api
        self.pages = pages
        self.cursor = cursor

    @property
    def reader(self) -> Http:
        settings: dict[str, object] = {
            "cursor": self.cursor,
            "batch_rows": self.most,
            "pages": self.pages,
            "timeout": 5,
        }
        if self.pages != "link":
            settings["records"] = "data.items"
        if self.pages == "token":
            settings |= {"page_param": "after", "next": "meta.next"}
        return http(f"{self.api.url}/{self.pages}", since_param="since", **settings)

    def deliver(self, rows: Sequence[Row]) -> None:
        changed = {row["id"] for row in rows}
        self.api.rows = [row for row in self.api.rows if row["id"] not in changed] + list(rows)

    def vanish(self) -> None:
        self.api.stop()
