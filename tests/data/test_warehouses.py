"""Warehouses, as far as they can be without an account: their ADBC drivers' interface, with a database behind it."""

from __future__ import annotations

import sqlite3
import types

import adbc_driver_sqlite.dbapi
import pytest

from drivetrain.core.errors import MissingExtra, SourceError
from drivetrain.data.readers.sql import sql

CONNECTED = []


@pytest.fixture(params=["snowflake", "bigquery"])
def warehouse(request, tmp_path, monkeypatch):
    """A driver module that is named like the warehouse's and answers with rows of SQLite."""
    with sqlite3.connect(tmp_path / "behind.db") as database:
        database.execute("CREATE TABLE w (id INT, at TEXT, x INT)")
        database.executemany("INSERT INTO w VALUES (?, ?, ?)", [(n, f"2013-07-{n:02}", n) for n in range(1, 21)])
    module = types.ModuleType(f"adbc_driver_{request.param}.dbapi")
    module.Error = adbc_driver_sqlite.dbapi.Error

    def connect(uri=None, *, db_kwargs=None):
        CONNECTED.append((uri, db_kwargs))
        return adbc_driver_sqlite.dbapi.connect(f"file:{tmp_path / 'behind.db'}?mode=ro")

    module.connect = connect
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    monkeypatch.setenv("WAREHOUSE_PW", "hidden")
    return {
        "snowflake": "snowflake://me:${WAREHOUSE_PW}@account/db/schema?warehouse=small",
        "bigquery": "bigquery://project/dataset?adbc.bigquery.sql.location=EU",
    }[request.param]


def test_it_is_read_on_from_its_cursor(warehouse, tmp_path):
    reader = sql(warehouse, table="w", cursor="at", chunk_rows=6)
    assert "hidden" not in reader.words
    assert reader.pending(tmp_path, "") == "20 new rows"
    batches = list(reader.read(tmp_path, ""))
    assert [batch.rows.height for batch in batches] == [5, 5, 5, 5]
    assert [row[0] for batch in batches for row in batch.rows.rows()] == list(range(1, 21))
    assert reader.pending(tmp_path, batches[-1].cursor) is None
    assert reader.pending(tmp_path, batches[1].cursor) == "10 new rows"
    uri, settings = CONNECTED[-1]
    if warehouse.startswith("snowflake"):
        assert (uri, settings) == ("me:hidden@account/db/schema?warehouse=small", None)
    else:
        assert uri is None
        assert settings == {
            "adbc.bigquery.sql.project_id": "project",
            "adbc.bigquery.sql.dataset_id": "dataset",
            "adbc.bigquery.sql.location": "EU",
        }


def test_what_it_says_is_handed_on(warehouse, tmp_path):
    with pytest.raises(SourceError, match=r"can't be read: .*no such table: absent"):
        list(sql(warehouse, table="absent", cursor="at").read(tmp_path, ""))


def test_a_driver_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingExtra, match=r'pip install "drivetrain\[snowflake\]"'):
        list(sql("snowflake://me@account/db", table="w").read(tmp_path, ""))
