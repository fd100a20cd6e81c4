"""Databases, as the suite of readers wants them: through ADBC, and without it."""

from __future__ import annotations

import sqlite3
import sys

import psycopg
import pytest

from drivetrain.data.readers.sql import sql
from drivetrain.testing.postgres import postgres
from drivetrain.testing.readers import Feed, ReaderConformance

__all__ = ["postgres"]


class SqliteFeed(Feed):
    def __init__(self, folder) -> None:
        self.path = folder / "raw.db"
        with sqlite3.connect(self.path) as database:
            database.execute("CREATE TABLE w (number INTEGER PRIMARY KEY, id INT, t TEXT, x INT)")

    @property
    def reader(self):
        return sql("sqlite:///raw.db", query="SELECT id, t, x, number FROM w", cursor="number", chunk_rows=self.most)

    def deliver(self, rows):
        with sqlite3.connect(self.path) as database:
            database.executemany("INSERT INTO w (id, t, x) VALUES (:id, :t, :x)", rows)

    def vanish(self):
        self.path.unlink()


class PostgresFeed(Feed):
    def __init__(self, url) -> None:
        self.url = url
        self.away = False
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE w (number bigint GENERATED ALWAYS AS IDENTITY, id int, t timestamptz, x int)"
            )

    @property
    def reader(self):
        url = "postgresql://me@127.0.0.1:1/away" if self.away else self.url
        return sql(url, table="w", cursor="number", chunk_rows=self.most)

    def deliver(self, rows):
        with psycopg.connect(self.url) as connection:
            connection.cursor().executemany("INSERT INTO w (id, t, x) VALUES (%(id)s, %(t)s, %(x)s)", rows)

    def vanish(self):
        self.away = True


class TestSqlite(ReaderConformance):
    def feed(self, folder):
        return SqliteFeed(folder)


@pytest.fixture
def without_adbc(monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_sqlite.dbapi", None)
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)


@pytest.mark.usefixtures("without_adbc")
class TestSqliteWithoutAdbc(TestSqlite):
    def test_killed_anywhere_and_two_at_once_end_with_the_right_rows(self):
        """Its children would have ADBC again."""


@pytest.mark.services
class TestPostgres(ReaderConformance):
    @pytest.fixture(autouse=True)
    def server(self, postgres):
        self.postgres = postgres

    def feed(self, folder):
        return PostgresFeed(self.postgres.fresh())


@pytest.mark.usefixtures("without_adbc")
class TestPostgresWithoutAdbc(TestPostgres):
    def test_killed_anywhere_and_two_at_once_end_with_the_right_rows(self):
        """Its children would have ADBC again."""


del ReaderConformance
