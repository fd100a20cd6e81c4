"""Rows from files: each file once, and again only when it has changed."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TypeAlias

import msgspec
import polars as pl

from drivetrain.core.errors import ProjectError, SourceAway, SourceError
from drivetrain.core.hashing import Digest, digest, digest_bytes, digest_file
from drivetrain.core.meanwhile import meanwhile
from drivetrain.data.reader import Batch, Unreadable
from drivetrain.data.readers.ahead import ahead
from drivetrain.data.readers.delimited import read_csv
from drivetrain.data.readers.excel import read_excel
from drivetrain.data.readers.formats import FORMATS, Format, format_of, unpacked
from drivetrain.data.readers.lines import read_jsonl
from drivetrain.data.readers.pieces import Piece, Reading, Spot
from drivetrain.data.readers.places import Place, Stamp, place_of

BUDGET_MIB = 512.0


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was when it was read: its bytes' digest, and what tells cheaply that they may have changed."""

    size: int
    stamp: int
    digest: Digest
    part: tuple[int, int, int] | None = None
    """Byte (or row), lines and rows that reading has come to, where the file has not been read to its end."""


_Cursor: TypeAlias = dict[str, Seen]


@dataclass(frozen=True)
class Files:
    """Files that match a pattern; see :func:`files`."""

    pattern: str
    format: Format | None = None
    nulls: tuple[str, ...] = ()
    sheet: str | None = None
    budget_mib: float = BUDGET_MIB
    options: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it reads and how; how much at a time, and how a bucket is reached, do not matter."""
        sheet = [self.sheet] if self.sheet else []
        return digest(["files", self.pattern, self.format, self.nulls, *sheet])

    @property
    def words(self) -> str:
        """What it reads, for people."""
        return f"files {self.pattern}"

    @property
    def _place(self) -> Place:
        return place_of(self.pattern, self.options)

    def fingerprint(self, folder: Path) -> Digest:
        """Digest of every file's name, size and modification time.

        Raises:
            SourceError: The pattern names one file, and it is not there; or the bucket can't be reached.
        """
        return digest({name: list(stamp) for name, stamp in self._place.listing(folder).items()})

    def pending(self, folder: Path, cursor: str) -> str | None:
        """Which files :meth:`read` would read, in words."""
        seen = _decode(cursor)
        listing = self._listing(folder, seen)
        new = [name for name in listing if name not in seen]
        changed = [name for name, stamp in listing.items() if name in seen and self._changed(folder, name, stamp, seen)]
        told = [_told(new, "new"), _told(changed, "changed")]
        return ", ".join(part for part in told if part) or None

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:
        """One batch per file that is new or has changed, in order of their names; several for a large one.

        A file's bytes are read once, so that what is parsed is what the cursor stands for, even while somebody writes.
        One that is larger than the budget is read in pieces; if somebody writes to it meanwhile, it is begun again.

        Raises:
            SourceError: No file matches and none ever did, or one can't be read.
        """
        seen = _decode(cursor)
        for name, stamp in self._listing(folder, seen).items():
            before = seen.get(name)
            if before and (before.size, before.stamp) == stamp and before.part is None:
                continue
            yield from self._read_file(folder, name, stamp, seen)

    def _read_file(self, folder: Path, name: str, stamp: Stamp, seen: _Cursor) -> Iterator[Batch]:
        before = seen.get(name)
        reading = Reading(name, format_of(name, self.format), self.nulls, int(self.budget_mib * 2**20))
        with self._place.local(folder, name, stamp) as raw, _readable(raw, name, reading.kind):
            whole = raw.stat().st_size <= reading.budget // 16
            data = raw.read_bytes() if whole else b""
            digested = meanwhile(partial(digest_bytes, data) if whole else partial(digest_file, raw))
            same = before is not None and before.digest == digested()
            if before and same and before.part is None:
                return
            again = before is not None and not same
            spot = Spot(*before.part) if before and before.part and same else Spot()
            with (
                unpacked(raw, name) as plain,
                closing(self._pieces(reading, plain, data if whole and plain == raw else None, spot)) as pieces,
            ):
                for piece in pieces:
                    if not whole and (raw.stat().st_size, raw.stat().st_mtime_ns) != stamp and raw == folder / name:
                        raise SourceAway(f"{name} was changed while it was read")
                    rest = None if piece.next is None else (piece.next.position, piece.next.line, piece.next.rows)
                    seen[name] = Seen(len(data) if whole else stamp[0], stamp[1], digested(), rest)
                    yield self._batch(name, piece, seen, again=again)
                    again = False

    def _pieces(self, reading: Reading, path: Path, data: bytes | None, spot: Spot) -> Generator[Piece]:
        """The pieces of a file, of which the whole may have been read; each is parsed while others are taken in."""
        if data is None and reading.fits(path):
            data = path.read_bytes()
        if data is not None:
            yield Piece(*self._parsed(reading.name, reading.kind, data))
            return
        with closing(ahead(partial(reading.pieces, path, spot), most=1)) as pieces:
            yield from pieces

    def _batch(self, name: str, piece: Piece, seen: _Cursor, *, again: bool) -> Batch:
        return Batch(
            rows=piece.rows,
            cursor=_encode(seen),
            origin=name,
            unreadable=piece.unreadable,
            again=again,
            before=piece.before,
            more=piece.next is not None,
        )

    def _listing(self, folder: Path, known: _Cursor) -> dict[str, Stamp]:
        listing = self._place.listing(folder)
        if not listing and not known:
            where = "" if "://" in self.pattern else f" in {folder}"
            raise SourceError(
                f"no file matches {self.pattern}", found=f"none{where}", do="Check the pattern or the folder"
            )
        return listing

    def _changed(self, folder: Path, name: str, stamp: Stamp, seen: _Cursor) -> bool:
        before = seen[name]
        if before.part is not None:
            return True
        if (before.size, before.stamp) == stamp:
            return False
        return "://" in self.pattern or digest_file(folder / name) != before.digest

    def _parsed(self, name: str, kind: Format, data: bytes) -> tuple[pl.DataFrame, tuple[Unreadable, ...]]:
        if kind in ("csv", "tsv"):
            rows, bad = read_csv(data, name, "," if kind == "csv" else "\t", self.nulls)
            return rows, tuple(bad)
        if kind in ("jsonl", "ndjson"):
            rows, bad = read_jsonl(data)
            return rows, tuple(bad)
        if kind == "parquet":
            return pl.read_parquet(io.BytesIO(data)), ()
        return (pl.read_ipc(io.BytesIO(data)) if kind == "arrow" else read_excel(data, name, self.sheet)), ()


@contextmanager
def _readable(path: Path, name: str, kind: Format) -> Iterator[None]:
    """Says of a file that can't be read which it is, and what to do."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, OSError) and error.strerror and error.filename:
            raise SourceError(f"{name} can't be read: {error.strerror}", do="Check the file and its rights") from None
        reason = str(error).strip().partition("\n")[0]
        raise SourceError(
            f"{name} can't be read as {kind}: {reason}",
            found=f"{path.stat().st_size} bytes",
            do="Deliver the file again, or move it out of the way",
        ) from None


def files(
    pattern: str,
    *,
    format: Format | None = None,
    nulls: Sequence[str] = (),
    sheet: str | None = None,
    budget_mib: float = BUDGET_MIB,
    options: Mapping[str, str] | None = None,
) -> Files:
    """Rows from files.

    Args:
        pattern: A path or glob, relative to the project folder: ``raw/flights/*.parquet``; or the URL of objects, with
            wildcards too: ``s3://bucket/raw/**/*.csv.gz``, ``gs://…``, ``az://…``. A bucket is reached as the
            environment says (``AWS_ACCESS_KEY_ID``, ``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_…``).
        format: ``parquet``, ``csv``, ``tsv``, ``jsonl``, ``ndjson``, ``arrow`` or ``excel``; by default from each
            file's name. Names that end in ``.gz`` or ``.zst`` are unpacked.
        nulls: Texts in CSV that stand for a missing value, such as ``NA``; an empty field always does.
        sheet: Of a workbook; by default its first.
        budget_mib: Memory that a batch may take while it is taken in, in MiB. A file that would need more is read in
            pieces, each a batch of its own that is committed with how far the file was read. Workbooks are read whole.
        options: How a bucket is reached, where the environment does not say: settings of obstore's stores, such as
            ``{"region": "eu-central-1", "skip_signature": "true"}``. No place for secrets.

    Returns:
        A reader. A file that was read is not read again until its bytes change; then its rows are merged by key.

    Raises:
        ProjectError: The format is unknown, or the budget is nothing.

    Example:
        >>> files("raw/flights/*.parquet").words
        'files raw/flights/*.parquet'
    """
    if format is not None and format not in FORMATS:
        raise ProjectError("a file format is unknown", found=repr(format), expected=", ".join(FORMATS))
    if budget_mib <= 0:
        raise ProjectError("budget_mib is how much memory a batch may take", found=budget_mib, expected="more than 0")
    return Files(pattern, format, tuple(nulls), sheet, budget_mib, dict(options or {}))


def _decode(cursor: str) -> _Cursor:
    return msgspec.json.decode(cursor, type=dict[str, Seen]) if cursor else {}


def _encode(seen: _Cursor) -> str:
    return msgspec.json.encode(seen).decode()


def _told(names: list[str], what: str) -> str:
    if not names:
        return ""
    shown = ", ".join(Path(name).name for name in names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} {what} file{'s' if len(names) > 1 else ''}: {shown}"
