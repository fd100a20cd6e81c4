"""Rows from a database table or query, from where its cursor column says reading stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import polars as pl
import sqlalchemy as sa

from drivetrain.core.errors import MissingExtra, ProjectError, SourceError
from drivetrain.core.hashing import Digest, digest
from drivetrain.data.reader import Batch
from drivetrain.data.readers.columns import series

CHUNK_ROWS = 50_000


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a table was read.

    Rows that share the last cursor value may arrive later than the first of them, so they are counted (``ties``) and
    read again when there are more; rows whose cursor is null have no place in the order and are counted apart.
    """

    value: str | int | float | None = None
    kind: str = "plain"
    """``plain``, ``datetime`` or ``date``: what ``value`` is once bound again."""
    ties: int = 0
    nulls: int = 0
    content: Digest = ""
    """Digest of all rows, where there is no cursor column."""


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
        with self._connected(folder) as connection:
            return digest(self._mark(connection))

    def pending(self, folder: Path, cursor: str) -> str | None:
        """Whether there are rows that :meth:`read` would read, in words."""
        before = _decode(cursor)
        with self._connected(folder) as connection:
            if self.cursor is None:
                return None if self._mark(connection) == before else "rows have changed"
            count = self._count_new(connection, before)
            return f"{count} new row{'s' if count > 1 else ''}" if count > 0 else None

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:
        """Batches of at most ``chunk_rows`` rows in order of the cursor column; ties are never parted.

        Raises:
            SourceError: The database, table or column is not there, or does not answer.
        """
        before = _decode(cursor)
        with self._connected(folder) as connection:
            now = self._mark(connection)
            if now == before:
                return
            if self.cursor is None:
                rows = _frame(connection.execute(self._select()))
                yield self._batch(rows, now, again=bool(cursor))
                return
            if now.nulls != before.nulls:
                rows = _frame(connection.execute(self._select().where(self._column.is_(None))))
                before = msgspec.structs.replace(before, nulls=now.nulls)
                yield self._batch(rows, before, suffix=f" where {self.cursor} is null", again=bool(cursor))
            yield from self._chunks(connection, before)

    def _chunks(self, connection: sa.Connection, before: Mark) -> Iterator[Batch]:
        select = self._select().where(self._column.is_not(None)).order_by(self._column)
        if before.value is not None:
            select = select.where(self._column >= _bind(before))
        result = connection.execution_options(yield_per=self.chunk_rows).execute(select)
        names = list(result.keys())
        at = names.index(str(self.cursor))
        held: list[Sequence[Any]] = []
        for part in result.partitions(self.chunk_rows):
            if held:
                # More rows follow, and the first of them may share the last cursor value.
                ties = _ties(held, at)
                whole, held = held[:-ties], held[-ties:]
                if whole:
                    yield self._batch(_columns(names, whole), self._mark_of(whole, at, before))
            held.extend(part)
        if held:
            yield self._batch(_columns(names, held), self._mark_of(held, at, before))

    def _mark_of(self, rows: Sequence[Sequence[Any]], at: int, before: Mark) -> Mark:
        value, kind = _plain(rows[-1][at])
        return Mark(value=value, kind=kind, ties=_ties(rows, at), nulls=before.nulls)

    def _batch(self, rows: pl.DataFrame, mark: Mark, *, suffix: str = "", again: bool = False) -> Batch:
        upto = f" to {mark.value}" if mark.value is not None and not suffix else ""
        return Batch(
            rows=rows,
            cursor=msgspec.json.encode(mark).decode(),
            origin=f"{self.words}{suffix or upto}",
            again=again,
        )

    def _mark(self, connection: sa.Connection) -> Mark:
        if self.cursor is None:
            frame = _frame(connection.execute(self._select()))
            # Rows have no order of their own in a database.
            rows = sorted(digest([repr(value) for value in row]) for row in frame.iter_rows())
            return Mark(content=digest([frame.columns, rows]))
        inner = self._from()
        greatest = connection.execute(sa.select(sa.func.max(self._column)).select_from(inner)).scalar_one()
        count = sa.select(sa.func.count()).select_from(inner)
        nulls = connection.execute(count.where(self._column.is_(None))).scalar_one()
        if greatest is None:
            return Mark(nulls=nulls)
        ties = connection.execute(count.where(self._column == greatest)).scalar_one()
        value, kind = _plain(greatest)
        return Mark(value=value, kind=kind, ties=ties, nulls=nulls)

    def _count_new(self, connection: sa.Connection, before: Mark) -> int:
        count = sa.select(sa.func.count()).select_from(self._from())
        if before.value is None:
            return int(connection.execute(count).scalar_one())
        after = connection.execute(count.where(self._column >= _bind(before))).scalar_one() - before.ties
        nulls = connection.execute(count.where(self._column.is_(None))).scalar_one() - before.nulls
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
    def _connected(self, folder: Path) -> Iterator[sa.Connection]:
        engine = _engine(self.url, folder)
        try:
            with engine.connect() as connection:
                self._check(connection)
                yield connection
        except sa.exc.SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise SourceError(f"{self.words} can't be read: {reason}", do="Check the database and the query") from None
        finally:
            engine.dispose()

    def _check(self, connection: sa.Connection) -> None:
        if self.table is not None:
            schema, _, table = self.table.rpartition(".")
            inspector = sa.inspect(connection)
            if not inspector.has_table(table, schema=schema or None):
                known = inspector.get_table_names(schema=schema or None) + inspector.get_view_names(
                    schema=schema or None
                )
                raise SourceError(
                    f"{self.words} is not there", expected=f"one of its tables: {', '.join(known) or 'it has none'}"
                )
        if self.cursor is not None:
            names = list(connection.execute(self._select().limit(0)).keys())
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
            SQLite is opened read-only.
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


def _engine(url: str, folder: Path) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        path = folder / parsed.database
        if not path.is_file():
            raise SourceError(f"the database {parsed.database} is not there", found=f"nothing at {path}")
        place = f"file:{quote(str(path))}?mode=ro"
        return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True), poolclass=sa.NullPool)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        return sa.create_engine(parsed, poolclass=sa.NullPool)
    except ModuleNotFoundError as error:
        extra = (
            'pip install "drivetrain[postgres]"'
            if parsed.get_backend_name() == "postgresql"
            else f"pip install {error.name}"
        )
        raise MissingExtra(f"reading from {parsed.drivername} needs {error.name}", do=f"Run: {extra}") from None
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(f"the database URL can't be used: {error}") from None


def _frame(result: sa.CursorResult[Any]) -> pl.DataFrame:
    return _columns(list(result.keys()), result.fetchall())


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pl.DataFrame([series(name, values) for name, values in zip(names, columns, strict=True)])


def _ties(rows: Sequence[Sequence[Any]], at: int) -> int:
    last = rows[-1][at]
    count = 0
    for row in reversed(rows):
        if row[at] != last:
            break
        count += 1
    return count


def _decode(cursor: str) -> Mark:
    return msgspec.json.decode(cursor, type=Mark) if cursor else Mark()


def _plain(value: Any) -> tuple[str | int | float, str]:  # noqa: ANN401 - whatever the database holds
    if isinstance(value, datetime):
        return value.isoformat(), "datetime"
    if isinstance(value, date):
        return value.isoformat(), "date"
    return (value, "plain") if isinstance(value, str | int | float) else (str(value), "plain")


def _bind(mark: Mark) -> object:
    if mark.kind == "datetime":
        return datetime.fromisoformat(str(mark.value))
    return date.fromisoformat(str(mark.value)) if mark.kind == "date" else mark.value
