"""The database under the catalog and the leases: SQLite (write-ahead log) or PostgreSQL, through SQLAlchemy Core."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from drivetrain.core.errors import MissingExtra, SettingsError, StoreError

_WAIT_SECONDS = 30
_EXPECTED = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


class Database:
    """Connections to one database; safe to share between threads, and in a forked child.

    Args:
        url: ``sqlite:///path`` or ``postgresql://user@host/name``.
        folder: What a relative SQLite path is relative to.

    Raises:
        SettingsError: The URL is neither.
        MissingExtra: PostgreSQL without its driver.
        StoreError: The folder of the SQLite file can't be made.
    """

    def __init__(self, url: str, folder: Path) -> None:
        parsed = _resolve(url, folder)
        self.dialect = parsed.get_backend_name()
        """``sqlite`` or ``postgresql``."""
        self.name = parsed.database or "" if self.dialect == "sqlite" else parsed.render_as_string(hide_password=True)
        """What messages call it: the file, or the URL without its password."""
        self.engine = self._open(parsed)
        _forget_in_child(self.engine)

    def _open(self, url: URL) -> Engine:
        if self.dialect == "postgresql":
            try:
                return create_engine(url, pool_size=4, max_overflow=60, pool_pre_ping=True)
            except ImportError as error:
                raise MissingExtra(
                    "the postgres catalog needs psycopg", do='Run: pip install "drivetrain[postgres]"'
                ) from error
        try:
            Path(self.name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the catalog's folder {Path(self.name).parent} can't be made: {error.strerror}"
            ) from error
        engine = create_engine(url, pool_size=4, max_overflow=60, connect_args={"timeout": _WAIT_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for single statements; each sees everything committed before it."""
        options = {"isolation_level": "AUTOCOMMIT"} if self.dialect == "postgresql" else {}
        with self._plain("read"), self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction: committed and on disk at the end, or undone if the block raises."""
        with (
            self._plain("written"),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def scrub(self) -> None:
        """Leaves nothing of deleted rows in the database's files.

        SQLite is written anew and its log emptied, for which readers of this moment are waited for. So is PostgreSQL's
        table: a plain vacuum frees the places of deleted rows and leaves their bytes. Its write-ahead log is not ours.

        Raises:
            StoreError: Somebody reads or writes for longer than can be waited.
        """
        with self._plain("vacuumed"), self.engine.connect() as connection:
            if self.dialect != "sqlite":
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.exec_driver_sql(f"SET lock_timeout = '{_WAIT_SECONDS}s'")
                try:
                    alone.exec_driver_sql("VACUUM FULL records")
                finally:
                    alone.exec_driver_sql("RESET lock_timeout")
                return
            connection.exec_driver_sql("VACUUM")
            deadline = time.monotonic() + _WAIT_SECONDS
            while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
                if time.monotonic() > deadline:
                    raise StoreError(f"the catalog {self.name} is being read without a pause", do="Try again later")
                time.sleep(0.05)

    @contextmanager
    def _plain(self, verb: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
            full = "full" in reason or "No space left" in reason
            raise StoreError(
                f"the catalog {self.name} can't be {verb}: {reason}",
                do="Free some disk space, then run the command again" if full else "Check that it is there and whole",
            ) from error

    def close(self) -> None:
        """Closes every connection that nobody is using."""
        self.engine.dispose()


def _resolve(url: str, folder: Path) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError("the catalog's URL can't be read", found=repr(url), expected=_EXPECTED) from None
    backend = parsed.drivername.partition("+")[0]
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise SettingsError(
            "no such catalog", found=repr(parsed.render_as_string(hide_password=True)), expected=_EXPECTED
        )
    return parsed.set(drivername="sqlite+pysqlite", database=str((folder / parsed.database).absolute()))


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # NORMAL may lose the last commits to a power cut
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # Readers stay outside a transaction; a writer takes the lock at once, or two could read and then both fail.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _forget_in_child(engine: Engine) -> None:
    """A forked child must open its own connections and leave its parent's alone."""
    known = weakref.ref(engine)

    def forget() -> None:
        if (inherited := known()) is not None:
            inherited.dispose(close=False)

    register: Callable[..., None] | None = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=forget)
