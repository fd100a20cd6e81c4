"""Looks for personal data in a source's table, or in any file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from drivetrain.core.errors import SourceError, UnknownName
from drivetrain.data.column import Privacy
from drivetrain.data.personal import Verdict, verdicts
from drivetrain.data.privacy.entities import Entities
from drivetrain.loop.audit import note_read
from drivetrain.loop.definitions import Definitions

ROWS = 100_000
"""Rows of a file that are read; a sample of each column is taken from them."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and the columns that look personal.

    Attributes:
        what: The source, or the file.
        rows: How many rows were looked at.
        columns: Those that look personal, surest first.
    """

    what: str
    rows: int
    columns: tuple[Verdict, ...]


def look(project: Definitions, what: str, entities: Entities | None = None) -> Looked:
    """See :meth:`Privacy.scan`."""
    if what in project.sources:
        declared: dict[str, Privacy] = {
            name: column.privacy for name, column in project.sources[what].contract.columns.items()
        }
        tables = project.store.tables
        if tables.version(what) is None:
            raise UnknownName(
                f"source {what!r} has no rows yet", do="Run: drivetrain run --only data, or scan its file"
            )
        rows = tables.scan(what).head(ROWS).collect()
        found = Looked(what=what, rows=rows.height, columns=tuple(verdicts(rows, declared, entities)))
        note_read(project, "privacy scan", what, [one.column for one in found.columns], rows.height)
        return found
    path = project.folder / what if (project.folder / what).exists() else Path(what)
    if not path.is_file():
        raise UnknownName(
            f"there is no source and no file {what!r}",
            expected=f"a file, or one of {', '.join(project.sources) or 'no source declared'}",
        )
    rows = _read(path)
    return Looked(what=what, rows=rows.height, columns=tuple(verdicts(rows, entities=entities)))


def _read(path: Path) -> pl.DataFrame:
    suffix = path.suffix.lower()
    try:
        if suffix in {".csv", ".tsv"}:
            return pl.read_csv(
                path, separator="\t" if suffix == ".tsv" else ",", infer_schema=False, n_rows=ROWS, ignore_errors=True
            )
        if suffix in {".jsonl", ".ndjson"}:
            return pl.read_ndjson(path, n_rows=ROWS)
        if suffix in {".parquet", ".pq"}:
            return pl.read_parquet(path, n_rows=ROWS)
        if suffix in {".arrow", ".feather", ".ipc"}:
            return pl.read_ipc(path, n_rows=ROWS)
        lines = path.read_text("utf-8", errors="replace").splitlines()[:ROWS]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"{path} can't be read: {str(error).partition(chr(10))[0]}") from error
    return pl.DataFrame({"text": lines}, schema={"text": pl.String})
