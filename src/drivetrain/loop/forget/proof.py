"""Proof that a name is nowhere: every file of the state is searched, as it lies and as what it holds reads."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from drivetrain.loop.definitions import Definitions

LEAST = 4
"""Letters that a name must have to be searched for: shorter ones are everywhere."""
_PART = rb"[0-9A-Za-z_\-]"
_CHUNK = 1 << 24


class Names:
    """Texts to search for; a short one counts only where nothing that could belong to a longer one is beside it.

    Args:
        texts: The texts, each as it is and as JSON writes it.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        long_enough = [text for text in texts if len(text) >= LEAST]
        written = {form for text in long_enough for form in (text, json.dumps(text)[1:-1])}
        self._patterns = [text.encode().decode("latin-1") for text in sorted(written)]
        self._exact = {text: _whole(text) for text in self._patterns}
        self.longest = max((len(text) for text in self._patterns), default=0)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def within(self, data: bytes) -> bool:
        """Whether any of them is in there."""
        if not self._patterns:
            return False
        text = data.decode("latin-1")
        if len(self._patterns) < 8:
            near = [pattern for pattern in self._patterns if pattern in text]
        else:
            series = pl.Series([text])
            if not series.str.contains_any(self._patterns)[0]:
                return False
            near = list(dict.fromkeys(series.str.extract_many(self._patterns)[0]))
        return any(self._exact[pattern].search(data) for pattern in near)


def _whole(text: str) -> re.Pattern[bytes]:
    raw = text.encode("latin-1")
    if len(raw) >= 12:
        return re.compile(re.escape(raw))
    return re.compile(rb"(?<!" + _PART + rb")" + re.escape(raw) + rb"(?!" + _PART + rb")")


def places_of_state(project: Definitions) -> list[Path]:
    """Every local folder and file that the project keeps state in."""
    settings = project.settings
    store = settings.store
    places = [store.root, store.tables, store.blobs, settings.serve.log]
    scheme, _, rest = store.online.partition(":")
    places += [rest] if scheme == "lmdb" else []
    if store.catalog.startswith("sqlite:///"):
        places += [store.catalog.removeprefix("sqlite:///") + end for end in ("", "-wal", "-journal")]
    found = {(project.folder / place).resolve() for place in places if "://" not in place}
    return sorted(path for path in found if path.exists() and not any(other in path.parents for other in found))


def search(places: Iterable[Path], names: Names, is_theirs: Callable[[pl.DataFrame], bool]) -> list[Path]:
    """Files that hold a name.

    Args:
        places: Folders and files to search.
        names: What to search for.
        is_theirs: Whether a frame, as a Parquet file holds it, has a row of the subject.
    """
    found = []
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            try:
                if path.is_file() and _holds(path, names, is_theirs):
                    found.append(path)
            except FileNotFoundError:
                continue
    return found


def _holds(path: Path, names: Names, is_theirs: Callable[[pl.DataFrame], bool]) -> bool:
    if names and any(names.within(piece) for piece in _pieces(path, names.longest)):
        return True
    if path.suffix == ".parquet":
        return _in_parquet(path, names, is_theirs)
    with path.open("rb") as file:
        is_database = file.read(16) == b"SQLite format 3\x00"
    return is_database and any(names.within(value) for value in _values(path))


def _pieces(path: Path, overlap: int) -> Iterator[bytes]:
    """A file's bytes in pieces that overlap, so that no name is cut."""
    with path.open("rb") as file:
        held = b""
        while piece := file.read(_CHUNK):
            yield held + piece
            held = piece[-overlap - 2 :]


def _in_parquet(path: Path, names: Names, is_theirs: Callable[[pl.DataFrame], bool]) -> bool:
    frame = pl.read_parquet(path, hive_partitioning=False)
    if is_theirs(frame):
        return True
    if not names or frame.is_empty():
        return False
    texts = [name for name, kind in frame.schema.items() if kind == pl.String or kind.is_nested() or kind == pl.Binary]
    plain = [name for name in texts if frame.schema[name] == pl.String]
    for name in plain:
        column = frame[name].drop_nulls().unique()
        if len(column) and names.within("\n".join(column.to_list()).encode()):
            return True
    others = frame.select(name for name in texts if name not in plain)
    return bool(others.width) and names.within(others.write_ndjson().encode())


def _values(path: Path) -> Iterator[bytes]:
    """Every text and every run of bytes in an SQLite file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the file names its own tables
                yield from _bytes_of(row)
    finally:
        connection.close()


def _bytes_of(row: Sequence[object]) -> Iterator[bytes]:
    for value in row:
        if isinstance(value, str):
            yield value.encode()
        elif isinstance(value, bytes):
            yield value
