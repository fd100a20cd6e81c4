"""A connection that answers SQL text with frames."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import polars as pl
from arro3.core import RecordBatchReader

from drivetrain.core.errors import MissingExtra, SourceAway, SourceError

T = TypeVar("T")

_EXTRAS = {"postgresql": "adbc", "sqlite": "adbc", "snowflake": "snowflake", "bigquery": "bigquery"}
_AWAY = ("IO", "TIMEOUT", "CANCELLED")
"""ADBC's status of what trying again may mend."""


class Connection:
    """A connection to a database, through the ADBC driver that is named like it.

    Args:
        kind: ``postgresql``, ``sqlite``, ``snowflake`` or ``bigquery``.
        uri: As the driver wants it; none for one that only takes settings.
        settings: Of the driver, by the names in its documentation.
        words: What is read, for messages.

    Raises:
        MissingExtra: The driver is not installed.
        SourceError: It does not connect.
    """

    def __init__(self, kind: str, uri: str | None, settings: Mapping[str, str], words: str) -> None:
        self._words = words
        try:
            self._driver: Any = importlib.import_module(f"adbc_driver_{kind}.dbapi")
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get(kind, kind)
            raise MissingExtra(
                f"reading from {kind} needs {error.name}", do=f'Run: pip install "drivetrain[{extra}]"'
            ) from None
        self._connection = self._asked(lambda: self._connected(uri, dict(settings)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def frames(self, query: str, rows: int) -> Iterator[pl.DataFrame]:
        """The rows of a query, some at a time, as the driver gives them; a frame without rows if there are none.

        Args:
            query: SQL text.
            rows: How many at a time, for a driver that heeds it.

        Raises:
            SourceAway: The database does not answer.
            SourceError: It refuses the query.
        """
        with self._connection.cursor() as cursor:
            if self._driver.__name__ == "adbc_driver_sqlite.dbapi":
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
            self._asked(lambda: cursor.execute(query))
            reader = self._asked(lambda: RecordBatchReader.from_stream(cursor.fetch_arrow()))
            yield pl.DataFrame(schema=pl.Schema(reader.schema))
            while True:
                batch = self._asked(lambda: next(reader, None))
                if batch is None:
                    return
                yield pl.DataFrame(batch)

    def _connected(self, uri: str | None, settings: dict[str, str]) -> Any:  # noqa: ANN401 - the driver's own
        named = {"db_kwargs": settings} if settings else {}
        return self._driver.connect(uri, **named) if uri is not None else self._driver.connect(**named)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except self._driver.Error as error:
            reason = str(error).strip().partition("\n")[0]
            status = getattr(getattr(error, "status_code", None), "name", "")
            kind = SourceAway if status in _AWAY else SourceError
            raise kind(f"{self._words} can't be read: {reason}", do="Check the database and the query") from None
        except Exception as error:
            # arro3 hands on what a driver says in the middle of a result as an exception of its own.
            if type(error).__module__.partition(".")[0] not in ("arro3", "builtins"):
                raise
            raise SourceAway(f"{self._words} can't be read: {error}", do="Check the database and the query") from None
