"""Files in pieces that fit a budget, each from where the last one ended; no row is cut through."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from drivetrain.core.errors import SourceError
from drivetrain.data.reader import Unreadable
from drivetrain.data.readers.delimited import read_csv
from drivetrain.data.readers.formats import Format
from drivetrain.data.readers.lines import read_jsonl

_NEWLINE, _QUOTE, _RETURN = 10, 34, 13
_WEIGHTS = {"csv": 16, "tsv": 16, "jsonl": 16, "ndjson": 16, "parquet": 6, "arrow": 6}
"""How many times the bytes of a piece the memory is that reading, checking and keeping it take; measured."""
_SAMPLE_ROWS = 1_000


@dataclass(frozen=True)
class Spot:
    """Where a file has been read to: a byte of a text file, or a row; the lines and the rows before it."""

    position: int = 0
    line: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Piece:
    """Rows of a file, how many rows are before them, and where the next ones begin; the last piece has none."""

    rows: pl.DataFrame
    unreadable: tuple[Unreadable, ...] = ()
    before: int = 0
    next: Spot | None = None


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes:
        name: What the file is called, for messages.
        kind: Its format.
        nulls: Texts that stand for a missing value.
        budget: Bytes of memory that a piece may take while it is taken in.
    """

    name: str
    kind: Format
    nulls: tuple[str, ...]
    budget: int

    def fits(self, path: Path) -> bool:
        """Whether the whole file is one piece."""
        if self.kind == "excel":
            return True
        if self.kind in ("parquet", "arrow"):
            lazy = _scan(path, self.kind)
            rows = int(lazy.select(pl.len()).collect().item())
            return rows <= self._rows_of_piece(lazy)
        return path.stat().st_size <= self._bytes_of_piece

    def pieces(self, path: Path, spot: Spot) -> Iterator[Piece]:
        """The pieces of a file from a spot on.

        Raises:
            SourceError: A row is greater than a piece may be.
        """
        return self._frames(path, spot) if self.kind in ("parquet", "arrow") else self._texts(path, spot)

    @property
    def _bytes_of_piece(self) -> int:
        return max(1, self.budget // _WEIGHTS[self.kind])

    def _rows_of_piece(self, lazy: pl.LazyFrame) -> int:
        sample = lazy.head(_SAMPLE_ROWS).collect()
        row = max(1.0, sample.estimated_size() / max(1, sample.height))
        return max(1, int(self._bytes_of_piece / row))

    def _frames(self, path: Path, spot: Spot) -> Iterator[Piece]:
        lazy = _scan(path, self.kind)
        total = int(lazy.select(pl.len()).collect().item())
        most = self._rows_of_piece(lazy)
        rows = spot.position
        while rows < total:
            # A slice reads the row groups that it meets; Polars' stream of batches would read many ahead.
            part = lazy.slice(rows, most).collect()
            before, rows = rows, rows + part.height
            yield Piece(part, (), before, Spot(rows, 0, rows) if rows < total else None)

    def _texts(self, path: Path, spot: Spot) -> Iterator[Piece]:
        separator = "\t" if self.kind == "tsv" else ","
        delimited = self.kind in ("csv", "tsv")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = _head(file.read(1 << 20), separator) if delimited else b""
            head_lines = head.count(b"\n")
            at = spot if spot.position else Spot(len(head), head_lines, 0)
            while at.position < size:
                data = b""
                most = self._bytes_of_piece
                end = 0
                while not end:
                    file.seek(at.position)
                    data = file.read(most)
                    last = at.position + len(data) >= size
                    end = len(data) if last else _whole_rows(data, separator if delimited else None)
                    if not end and most > 4 * self._bytes_of_piece:
                        raise SourceError(
                            f"{self.name} has a row at line {at.line + 1} that does not end within {most:,} bytes",
                            do="Look for a quote that is never closed, or raise budget_mib",
                        )
                    most *= 2
                part = memoryview(data)[:end]
                rows, bad = self._parsed(b"".join((head, part)), separator)
                shift = at.line - head_lines
                found = tuple(Unreadable(one.line + shift, one.reason, one.text) for one in bad)
                lines = at.line + int(np.count_nonzero(np.frombuffer(part, np.uint8) == _NEWLINE))
                before, at = at.rows, Spot(at.position + end, lines, at.rows + rows.height + len(bad))
                yield Piece(rows, found, before, at if at.position < size else None)

    def _parsed(self, data: bytes, separator: str) -> tuple[pl.DataFrame, list[Unreadable]]:
        if self.kind in ("csv", "tsv"):
            return read_csv(data, self.name, separator, self.nulls)
        return read_jsonl(data)


def _scan(path: Path, kind: Format) -> pl.LazyFrame:
    return pl.scan_parquet(path) if kind == "parquet" else pl.scan_ipc(path)


def _head(data: bytes, separator: str) -> bytes:
    """The bytes of a CSV file's first row."""
    lines = [f"{line}\n" for line in data.decode("utf-8", "surrogateescape").split("\n")]
    reader = csv.reader(lines, delimiter=separator)
    next(reader, None)
    return "".join(lines[: reader.line_num]).encode("utf-8", "surrogateescape")


def _whole_rows(data: bytes, separator: str | None) -> int:
    """How many bytes from the start are whole rows; ``separator`` is that of CSV, none for JSON lines."""
    end = data.rfind(b"\n") + 1
    if separator is None or not end or b'"' not in data:
        return end
    codes = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE)
    before = np.where(quotes > 0, codes[np.maximum(quotes - 1, 0)], _NEWLINE)[0::2]
    after = np.where(quotes + 1 < codes.size, codes[np.minimum(quotes + 1, codes.size - 1)], _NEWLINE)[1::2]
    part = ord(separator)
    if np.isin(before, (part, _NEWLINE, _QUOTE)).all() and np.isin(after, (part, _NEWLINE, _RETURN, _QUOTE)).all():
        newlines = np.flatnonzero(codes == _NEWLINE)
        outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        return int(outside[-1]) + 1 if outside.size else 0
    return _counted_rows(data[:end], separator)


def _counted_rows(data: bytes, separator: str) -> int:
    """As :func:`_whole_rows`, for quotes that stand where none should: as far as Python's own reader sees rows end."""
    lines = data.split(b"\n")[:-1]
    reader = csv.reader((f"{line.decode('latin-1')}\n" for line in lines), delimiter=separator)
    ends: list[int] = []
    try:
        ends.extend(reader.line_num for _ in reader)
    except csv.Error:
        return len(data)
    # The last row may go on behind what is there.
    return sum(len(line) + 1 for line in lines[: ends[-2]]) if len(ends) > 1 else 0
