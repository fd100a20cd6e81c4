"""Ways to ask a database: through SQLAlchemy, row by row, or through ADBC, in columns."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.default import DefaultDialect

from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, SourceAway, SourceError
from drivetrain.data.readers.ahead import ahead
from drivetrain.data.readers.columns import series

WAREHOUSES = ("snowflake", "bigquery")
"""Backends that are only reached through ADBC."""
_DIALECTS = {"postgresql": postgresql.dialect, "sqlite": sqlite.dialect}
_PLAIN = {16, 17, 19, 20, 21, 23, 25, 700, 701, 1042, 1043, 1082, 1114, 1184}
"""PostgreSQL's types (oid of pg_type) that arrive through ADBC as they do through psycopg."""
_NUMERIC = 1700
_MYSQL = ("mysql", "mariadb")
_MYSQL_AWAY = {1040, 1053, *range(1152, 1162), 1205, 1213, 1317, 1927}
"""MySQL's errors of a server that is busy or going, not of what was asked; from 2000 on they are its client's own."""
_POSTGRES_AWAY = ("starting up", "shutting down", "in recovery", "too many", "connection slots", "terminating")
"""What PostgreSQL refuses a connection with for a while; all else that is fatal stays so."""
_WRITTEN_NUMBER = r"^-?\d\.\d{6}e[+-]\d+$"


class Database(Protocol):
    """A connection that is asked in SQLAlchemy's words."""

    def frame(self, select: sa.Select[Any]) -> pl.DataFrame:
        """All rows."""
        ...

    def frames(self, select: sa.Select[Any], rows: int) -> Iterator[pl.DataFrame]:
        """All rows, some at a time."""
        ...

    def scalar(self, select: sa.Select[Any]) -> Any:  # noqa: ANN401 - whatever the database holds
        """The one value."""
        ...

    def names(self, select: sa.Select[Any]) -> list[str]:
        """The names of a query's columns."""
        ...

    def tables(self, schema: str | None) -> list[str] | None:
        """The tables and views there are; none where they can't be listed."""
        ...


@dataclass(frozen=True)
class Alchemy:
    """A database that SQLAlchemy knows; PostgreSQL and SQLite are asked for many rows through ADBC if it is there."""

    connection: sa.Connection
    url: sa.URL
    folder: Path
    words: str

    def frame(self, select: sa.Select[Any]) -> pl.DataFrame:
        """All rows."""
        result = self.connection.execute(select)
        return _columns(list(result.keys()), result.fetchall())

    def frames(self, select: sa.Select[Any], rows: int) -> Iterator[pl.DataFrame]:
        """All rows, some at a time, each as it comes."""
        result = self.connection.execution_options(yield_per=rows).execute(select)
        names = list(result.keys())
        for part in result.partitions(rows):
            yield _columns(names, part)

    def scalar(self, select: sa.Select[Any]) -> Any:  # noqa: ANN401 - as of Database
        """The one value."""
        return self.connection.execute(select).scalar_one()

    def names(self, select: sa.Select[Any]) -> list[str]:
        """The names of a query's columns."""
        return list(self.connection.execute(select.limit(0)).keys())

    def tables(self, schema: str | None) -> list[str] | None:
        """The tables and views there are."""
        inspector = sa.inspect(self.connection)
        return inspector.get_table_names(schema=schema) + inspector.get_view_names(schema=schema)

    def in_columns(self, select: sa.Select[Any], rows: int, cursor: str) -> Iterator[pl.DataFrame] | None:
        """As :meth:`frames`, through ADBC: many times as fast. None where it isn't there or would give other values."""
        backend = self.url.get_backend_name()
        if backend not in _DIALECTS or self.url.database in (None, "", ":memory:"):
            return None
        columns = self._plain_columns(select, cursor) if backend == "postgresql" else [sa.text("*")]
        if columns is None:
            return None
        uri = (
            _sqlite_uri(self.folder / str(self.url.database))
            if backend == "sqlite"
            else self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        )
        try:
            connection = plugins.load("connection", "adbc")(backend, uri, {}, self.words)
        except MissingExtra:
            return None
        return _in_columns(connection, _text(select.with_only_columns(*columns), backend), rows, backend)

    def _plain_columns(self, select: sa.Select[Any], cursor: str) -> list[sa.ColumnElement[Any]] | None:
        described: Sequence[Any] = self.connection.execute(select.limit(0)).cursor.description or ()
        kinds: dict[str, int] = {column[0]: column[1] for column in described}
        if len(kinds) < len(described) or not set(kinds.values()) <= {*_PLAIN, _NUMERIC}:
            return None
        if kinds[cursor] == _NUMERIC:  # it must be exact
            return None
        return [
            sa.cast(sa.column(name), sa.Double).label(name) if kind == _NUMERIC else sa.column(name)
            for name, kind in kinds.items()
        ]


@dataclass(frozen=True)
class Warehouse:
    """A database that is only reached through ADBC: Snowflake, BigQuery."""

    connection: Any
    kind: str

    def frame(self, select: sa.Select[Any]) -> pl.DataFrame:
        """All rows."""
        return pl.concat(self.frames(select, 1 << 16), how="vertical_relaxed")

    def frames(self, select: sa.Select[Any], rows: int) -> Iterator[pl.DataFrame]:
        """All rows, some at a time."""
        yield from self.connection.frames(_text(select, self.kind), rows)

    def scalar(self, select: sa.Select[Any]) -> Any:  # noqa: ANN401 - as of Database
        """The one value."""
        return self.frame(select).item()

    def names(self, select: sa.Select[Any]) -> list[str]:
        """The names of a query's columns."""
        return self.frame(select.limit(0)).columns

    def tables(self, schema: str | None) -> list[str] | None:  # noqa: ARG002 - a warehouse may hold too many to list
        """None: a table that is not there is told by the warehouse itself."""
        return None


@contextmanager
def opened(url: str, folder: Path, words: str) -> Iterator[Database]:
    """A connection to where a URL points; ``${NAME}`` in it is read from the environment.

    Raises:
        SourceError: There is nothing, or it refuses; whatever the database says inside the context is raised as one.
        MissingExtra: Its driver is not installed.
    """
    parsed = sa.make_url(os.path.expandvars(url))
    kind = parsed.get_backend_name() if parsed.drivername not in WAREHOUSES else parsed.drivername
    if kind in WAREHOUSES:
        uri, settings = _warehouse(parsed)
        with plugins.load("connection", "adbc")(kind, uri, settings, words) as connection:
            yield Warehouse(connection, kind)
        return
    engine = _engine(parsed, folder)
    try:
        with engine.connect() as connection:
            if kind in _MYSQL:
                # Its timestamps are written in the session's zone, and do not say so.
                connection.exec_driver_sql("SET time_zone = '+00:00'")
            yield Alchemy(connection, parsed, folder, words)
    except sa.exc.SQLAlchemyError as error:
        raise _told(error, kind, words) from None
    finally:
        engine.dispose()


def _told(error: sa.exc.SQLAlchemyError, kind: str, words: str) -> SourceError:
    raised = getattr(error, "orig", None) or error
    away = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) and kind != "sqlite"
    reason = str(raised)
    if kind == "postgresql" and "FATAL:" in reason:  # the server answers, and will do so again
        away = away and any(sign in reason for sign in _POSTGRES_AWAY)
    if kind in _MYSQL and len(raised.args) > 1:
        code, reason = raised.args[0], str(raised.args[1])
        away = away and not (1000 <= code < 2000 and code not in _MYSQL_AWAY)
    return (SourceAway if away else SourceError)(
        f"{words} can't be read: {reason.strip().partition(chr(10))[0]}", do="Check the database and the query"
    )


def _in_columns(connection: Any, query: str, rows: int, backend: str) -> Iterator[pl.DataFrame]:  # noqa: ANN401
    with connection, closing(ahead(lambda: connection.frames(query, rows))) as frames:
        for frame in frames:
            yield _told_by_values(frame) if backend == "sqlite" else frame


def _told_by_values(frame: pl.DataFrame) -> pl.DataFrame:
    """SQLite has no types but those of its values.

    Raises:
        SourceError: A column of text seems to hold numbers too, which ADBC writes as it pleases.
    """
    texts = [column for column in frame if column.dtype == pl.String]
    if any(column.str.contains(_WRITTEN_NUMBER).any() for column in texts):
        raise SourceError("a column holds texts and numbers")
    return frame.with_columns(pl.lit(None).alias(column.name) for column in frame if column.null_count() == len(column))


def _text(select: sa.Select[Any], backend: str) -> str:
    dialect = _DIALECTS.get(backend, DefaultDialect)(paramstyle="named")  # one that does not double per cent signs
    return str(select.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _warehouse(url: sa.URL) -> tuple[str | None, dict[str, str]]:
    """What the warehouse's driver is told, as its documentation names it."""
    settings = {name: value for name, value in url.query.items() if isinstance(value, str)}
    if url.drivername == "bigquery":
        # Google's own way: Application Default Credentials.
        project = {"adbc.bigquery.sql.project_id": url.host or "", "adbc.bigquery.sql.dataset_id": url.database or ""}
        return None, {name: value for name, value in (project | settings).items() if value}
    return url.render_as_string(hide_password=False).removeprefix("snowflake://"), {}


def _sqlite_uri(path: Path) -> str:
    return f"file:{quote(str(path))}?mode=ro"


def _engine(parsed: sa.URL, folder: Path) -> sa.Engine:
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        path = folder / parsed.database
        if not path.is_file():
            raise SourceError(f"the database {parsed.database} is not there", found=f"nothing at {path}")
        place = _sqlite_uri(path)
        return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True), poolclass=sa.NullPool)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in _MYSQL:
        parsed = parsed.set(drivername=f"{parsed.drivername}+pymysql")
    try:
        return sa.create_engine(parsed, poolclass=sa.NullPool)
    except ModuleNotFoundError as error:
        known = {"psycopg": '"drivetrain[postgres]"', "pymysql": '"drivetrain[mysql]"'}
        extra = f"pip install {known.get(str(error.name), error.name)}"
        raise MissingExtra(f"reading from {parsed.drivername} needs {error.name}", do=f"Run: {extra}") from None
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(f"the database URL can't be used: {error}") from None


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pl.DataFrame([series(name, values) for name, values in zip(names, columns, strict=True)])
