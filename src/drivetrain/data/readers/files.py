"""Rows from files: each file once, and again only when it has changed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec
import polars as pl

from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.core.hashing import Digest, digest, digest_bytes, digest_file
from drivetrain.data.reader import Batch, Unreadable
from drivetrain.data.readers.delimited import read_csv
from drivetrain.data.readers.lines import read_jsonl

Format: TypeAlias = Literal["parquet", "csv", "tsv", "jsonl", "ndjson", "arrow"]
_SUFFIXES: dict[str, Format] = {
    **{f".{name}": name for name in get_args(Format)},
    ".ipc": "arrow",
    ".feather": "arrow",
}
_WILD = frozenset("*?[")


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was when it was read: its bytes' digest, and what tells cheaply that they may have changed."""

    size: int
    mtime_ns: int
    digest: Digest


_Cursor: TypeAlias = dict[str, Seen]


@dataclass(frozen=True)
class Files:
    """Files that match a pattern; see :func:`files`."""

    pattern: str
    format: Format | None = None
    nulls: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it reads and how."""
        return digest(["files", self.pattern, self.format, self.nulls])

    @property
    def words(self) -> str:
        """What it reads, for people."""
        return f"files {self.pattern}"

    def fingerprint(self, folder: Path) -> Digest:
        """Digest of every file's name, size and modification time.

        Raises:
            SourceError: The pattern names one file, and it is not there.
        """
        return digest({name: [size, mtime] for name, (size, mtime) in self._listing(folder).items()})

    def pending(self, folder: Path, cursor: str) -> str | None:
        """Which files :meth:`read` would read, in words."""
        seen = _decode(cursor)
        listing = self._listing(folder, known=seen)
        new = [name for name in listing if name not in seen]
        changed = [name for name, stat in listing.items() if name in seen and self._changed(folder, name, stat, seen)]
        told = [_told(new, "new"), _told(changed, "changed")]
        return ", ".join(part for part in told if part) or None

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:
        """One batch per file that is new or has changed, in order of their names.

        A file's bytes are read once, so that what is parsed is what the cursor stands for, even while somebody writes.

        Raises:
            SourceError: No file matches and none ever did, or one can't be read.
        """
        seen = _decode(cursor)
        for name, stat in self._listing(folder, known=seen).items():
            before = seen.get(name)
            if before and (before.size, before.mtime_ns) == stat:
                continue
            try:
                data = (folder / name).read_bytes()
            except OSError as error:
                raise SourceError(
                    f"{name} can't be read: {error.strerror}", do="Check the file and its rights"
                ) from None
            now = Seen(len(data), stat[1], digest_bytes(data))
            if before and before.digest == now.digest:
                continue
            seen[name] = now
            rows, bad = self._parse(name, data)
            yield Batch(rows=rows, cursor=_encode(seen), origin=name, unreadable=tuple(bad), again=before is not None)

    def _listing(self, folder: Path, known: _Cursor | None = None) -> dict[str, tuple[int, int]]:
        # `folder / pattern` keeps an absolute pattern absolute.
        pattern = self.pattern
        if not _WILD & set(pattern):
            path = folder / pattern
            if not path.is_file():
                raise SourceError(f"{pattern} is not there", found=f"nothing at {path}", do="Put the file there")
            paths = [path]
        else:
            base = Path(pattern).anchor
            paths = sorted(Path(base or folder).glob(pattern.removeprefix(base)))
            paths = [path for path in paths if path.is_file()]
        if not paths and known is not None and not known:
            raise SourceError(
                f"no file matches {pattern}", found=f"none in {folder}", do="Check the pattern or the folder"
            )
        listing = {}
        for path in paths:
            stat = path.stat()
            name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
            listing[name] = (stat.st_size, stat.st_mtime_ns)
        return listing

    def _changed(self, folder: Path, name: str, stat: tuple[int, int], seen: _Cursor) -> bool:
        before = seen[name]
        return (before.size, before.mtime_ns) != stat and digest_file(folder / name) != before.digest

    def _parse(self, name: str, data: bytes) -> tuple[pl.DataFrame, list[Unreadable]]:
        kind = self.format or _SUFFIXES.get(Path(name).suffix.lower())
        try:
            if kind in ("csv", "tsv"):
                return read_csv(data, name, "," if kind == "csv" else "\t", self.nulls)
            if kind in ("jsonl", "ndjson"):
                return read_jsonl(data)
            if kind == "parquet":
                return pl.read_parquet(io.BytesIO(data)), []
            if kind == "arrow":
                return pl.read_ipc(io.BytesIO(data)), []
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise SourceError(
                f"{name} can't be read as {kind}: {reason}",
                found=f"{len(data)} bytes",
                do="Deliver the file again, or move it out of the way",
            ) from None
        raise SourceError(
            f"{name} has a format that can't be told from its name",
            expected=f"one of {', '.join(_SUFFIXES)}",
            do='Name it: dt.files(…, format="csv")',
        )


def files(pattern: str, *, format: Format | None = None, nulls: Sequence[str] = ()) -> Files:
    """Rows from files.

    Args:
        pattern: A path or glob, relative to the project folder: ``raw/flights/*.parquet``.
        format: ``parquet``, ``csv``, ``tsv``, ``jsonl``, ``ndjson`` or ``arrow``; by default from each file's name.
        nulls: Texts in CSV that stand for a missing value, such as ``NA``; an empty field always does.

    Returns:
        A reader. A file that was read is not read again until its bytes change; then its rows are merged by key.

    Raises:
        ProjectError: The format is unknown.

    Example:
        >>> files("raw/flights/*.parquet").words
        'files raw/flights/*.parquet'
    """
    if format is not None and format not in get_args(Format):
        raise ProjectError("a file format is unknown", found=repr(format), expected=", ".join(get_args(Format)))
    return Files(pattern, format, tuple(nulls))


def _decode(cursor: str) -> _Cursor:
    return msgspec.json.decode(cursor, type=dict[str, Seen]) if cursor else {}


def _encode(seen: _Cursor) -> str:
    return msgspec.json.encode(seen).decode()


def _told(names: list[str], what: str) -> str:
    if not names:
        return ""
    shown = ", ".join(Path(name).name for name in names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} {what} file{'s' if len(names) > 1 else ''}: {shown}"
