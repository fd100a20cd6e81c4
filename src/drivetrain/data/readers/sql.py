"""Rows from a database table or query, from where its cursor column says reading stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import sqlalchemy as sa

from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.core.hashing import Digest, digest
from drivetrain.data.reader import Batch
from drivetrain.data.readers.databases import Alchemy, Database, opened

CHUNK_ROWS = 200_000


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a table was read.

    Rows that share the last cursor value may arrive later than the first of them, so they are counted (``ties``) and
    read again when there are more; rows whose cursor is null have no place in the order and are counted apart.
    """

    value: str | int | float | None = None
    kind: str = "plain"
    """``plain``, ``datetime``, ``date`` or ``decimal``: what ``value`` is once bound again."""
    ties: int = 0
    nulls: int = 0
    content: Digest = ""
    """Digest of all rows, where there is no cursor column."""


_decode_mark = msgspec.json.Decoder(Mark).decode  # not made in a thread


@dataclass(frozen=True)
class Sql:
    """A table or query of a database; see :func:`sql`."""

    url: str
    table: str | None = None
    query: str | None = None
    cursor: str | None = None
    chunk_rows: int = CHUNK_ROWS

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it reads; where the database is reached and how much at a time do not matter."""
        return digest(["sql", self.table, self.query, self.cursor])

    @property
    def words(self) -> str:
        """What it reads, for people; never a password."""
        return f"{self.table or 'a query'} of {sa.make_url(self.url).render_as_string(hide_password=True)}"

    def fingerprint(self, folder: Path) -> Digest:
        """Digest of the greatest cursor value and how many rows share it; without a cursor, of all rows."""
        with self._opened(folder) as database:
            return digest(self._mark(database))

    def pending(self, folder: Path, cursor: str) -> str | None:
        """Whether there are rows that :meth:`read` would read, in words."""
        before = _decode(cursor)
        with self._opened(folder) as database:
            if self.cursor is None:
                return None if self._mark(database) == before else "rows have changed"
            count = self._count_new(database, before)
            return f"{count} new row{'s' if count > 1 else ''}" if count > 0 else None

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:
        """Batches of at most ``chunk_rows`` rows in order of the cursor column; ties are never parted.

        Raises:
            SourceError: The database, table or column is not there, or does not answer.
        """
        before = _decode(cursor)
        with self._opened(folder) as database:
            now = self._mark(database)
            if now == before:
                return
            if self.cursor is None:
                rows = database.frame(self._select())
                yield self._batch(rows, now, again=bool(cursor))
                return
            if now.nulls != before.nulls:
                rows = database.frame(self._select().where(self._column.is_(None)))
                before = msgspec.structs.replace(before, nulls=now.nulls)
                yield self._batch(rows, before, suffix=f" where {self.cursor} is null", again=bool(cursor))
            yield from self._chunks(database, before)

    def _chunks(self, database: Database, before: Mark) -> Iterator[Batch]:
        if isinstance(database, Alchemy):
            fast = database.in_columns(self._behind(before), self.chunk_rows, self._column.name)
            try:
                for batch in self._parted(fast or (), before):
                    before = _decode(batch.cursor)
                    yield batch
            except SourceError:
                # SQLite's columns may hold values of several types, which Arrow's do not.
                if database.url.get_backend_name() != "sqlite":
                    raise
            else:
                if fast is not None:
                    return
        yield from self._parted(database.frames(self._behind(before), self.chunk_rows), before)

    def _behind(self, before: Mark) -> sa.Select[Any]:
        select = self._select().where(self._column.is_not(None)).order_by(self._column)
        return select if before.value is None else select.where(self._column >= _bind(before))

    def _parted(self, frames: Iterable[pl.DataFrame], before: Mark) -> Iterator[Batch]:
        """Batches of about as many rows as one may hold, none of which ends between ties."""
        held = pl.DataFrame()
        for frame in frames:
            if not frame.height:
                continue
            held = pl.concat([held, frame], how="vertical_relaxed") if held.width else frame
            while held.height > self.chunk_rows:
                part = held.head(self.chunk_rows)
                last = part[-1, str(self.cursor)]
                # More rows follow, and the first of them may share the last cursor value.
                same = part[str(self.cursor)] == last
                end = int(same.arg_max() or 0)
                if not end:
                    end = int((held[str(self.cursor)] == last).sum())
                    if end == held.height:
                        break
                yield self._batch(held.head(end), self._mark_of(held.head(end), before))
                held = held.slice(end)
        if held.height:
            yield self._batch(held, self._mark_of(held, before))

    def _mark_of(self, rows: pl.DataFrame, before: Mark) -> Mark:
        found = rows[str(self.cursor)]
        value, kind = _plain(found[-1])
        return Mark(value=value, kind=kind, ties=int((found == found[-1]).sum()), nulls=before.nulls)

    def _batch(self, rows: pl.DataFrame, mark: Mark, *, suffix: str = "", again: bool = False) -> Batch:
        upto = f" to {mark.value}" if mark.value is not None and not suffix else ""
        return Batch(
            rows=rows,
            cursor=msgspec.json.encode(mark).decode(),
            origin=f"{self.words}{suffix or upto}",
            again=again,
        )

    def _mark(self, database: Database) -> Mark:
        if self.cursor is None:
            frame = database.frame(self._select())
            # Rows have no order of their own in a database.
            rows = sorted(digest([repr(value) for value in row]) for row in frame.iter_rows())
            return Mark(content=digest([frame.columns, rows]))
        inner = self._from()
        greatest = database.scalar(sa.select(sa.func.max(self._column)).select_from(inner))
        count = sa.select(sa.func.count()).select_from(inner)
        nulls = database.scalar(count.where(self._column.is_(None)))
        if greatest is None:
            return Mark(nulls=nulls)
        ties = database.scalar(count.where(self._column == greatest))
        value, kind = _plain(greatest)
        return Mark(value=value, kind=kind, ties=ties, nulls=nulls)

    def _count_new(self, database: Database, before: Mark) -> int:
        count = sa.select(sa.func.count()).select_from(self._from())
        if before.value is None:
            return int(database.scalar(count))
        after = database.scalar(count.where(self._column >= _bind(before))) - before.ties
        nulls = database.scalar(count.where(self._column.is_(None))) - before.nulls
        return int(after + nulls)

    @property
    def _column(self) -> sa.ColumnClause[Any]:
        return sa.column(str(self.cursor))

    def _from(self) -> sa.FromClause:
        if self.query is not None:
            return sa.text(f"({self.query.rstrip().rstrip(';')}) AS source")  # type: ignore[return-value]
        schema, _, table = str(self.table).rpartition(".")
        return sa.table(table, schema=schema or None)

    def _select(self) -> sa.Select[Any]:
        return sa.select(sa.text("*")).select_from(self._from())

    @contextmanager
    def _opened(self, folder: Path) -> Iterator[Database]:
        with opened(self.url, folder, self.words) as database:
            self._check(database)
            yield database

    def _check(self, database: Database) -> None:
        if self.table is not None:
            schema, _, table = self.table.rpartition(".")
            known = database.tables(schema or None)
            if known is not None and table not in known:
                raise SourceError(
                    f"{self.words} is not there", expected=f"one of its tables: {', '.join(known) or 'it has none'}"
                )
        if self.cursor is not None:
            names = database.names(self._select())
            if self.cursor not in names:
                close = get_close_matches(self.cursor, names, n=1)
                raise SourceError(
                    f"{self.words} has no column {self.cursor!r} to read on from",
                    found=", ".join(names),
                    do=f"Name another cursor; {close[0]!r} is close" if close else "Name another cursor",
                )


def sql(
    url: str,
    *,
    table: str | None = None,
    query: str | None = None,
    cursor: str | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> Sql:
    """Rows from a database.

    Args:
        url: SQLAlchemy's URL; a relative SQLite path is relative to the project folder: ``sqlite:///raw/weather.db``.
            SQLite is opened read-only. ``${NAME}`` is read from the environment when the database is asked, so that no
            password stands in the project. PostgreSQL and SQLite are read through ADBC where it is installed
            (``pip install "drivetrain[adbc]"``): the same rows, many times as fast. MySQL and MariaDB are read through
            PyMySQL unless the URL names another driver, in UTC. ``snowflake://user:${PW}@account/
            database/schema?warehouse=…`` and ``bigquery://project/dataset`` are read through ADBC only.
        table: The table or view to read, with its schema if need be.
        query: Or a query.
        cursor: Column that never falls from one row to a later one, such as a time of insertion. Without one the whole
            table is read whenever it has changed.
        chunk_rows: Rows a batch.

    Returns:
        A reader.

    Raises:
        ProjectError: Neither or both of ``table`` and ``query`` are given, or the URL is none.

    Example:
        >>> sql("sqlite:///raw/weather.db", table="weather", cursor="time_hour").words
        'weather of sqlite:///raw/weather.db'
    """
    if (table is None) == (query is None):
        raise ProjectError("dt.sql needs a table or a query, and not both")
    try:
        sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ProjectError("not a database URL", found=repr(url), expected="such as sqlite:///raw/weather.db") from None
    return Sql(url, table, query, cursor, chunk_rows)


def _decode(cursor: str) -> Mark:
    return _decode_mark(cursor) if cursor else Mark()


def _plain(value: Any) -> tuple[str | int | float, str]:  # noqa: ANN401 - whatever the database holds
    if isinstance(value, datetime):
        # A moment is the same in every session's time zone.
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat(), "datetime"
    if isinstance(value, date):
        return value.isoformat(), "date"
    if isinstance(value, Decimal):
        # 1.50 and 1.5 are one number; a float would be another.
        digits = format(value, "f")
        return digits.rstrip("0").rstrip(".") if "." in digits else digits, "decimal"
    return (value, "plain") if isinstance(value, str | int | float) else (str(value), "plain")


def _bind(mark: Mark) -> object:
    if mark.kind == "datetime":
        return datetime.fromisoformat(str(mark.value))
    if mark.kind == "decimal":
        return Decimal(str(mark.value))
    return date.fromisoformat(str(mark.value)) if mark.kind == "date" else mark.value
