from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.data.readers.sql import sql

URL = "sqlite:///raw.db"


@pytest.fixture
def database(tmp_path):
    connection = sqlite3.connect(tmp_path / "raw.db", isolation_level=None)
    connection.execute("CREATE TABLE w (origin TEXT, at TEXT, temp REAL)")
    yield connection
    connection.close()


def add(database, *rows):
    database.executemany("INSERT INTO w VALUES (?, ?, ?)", rows)


def read_all(reader, folder, cursor=""):
    batches = list(reader.read(folder, cursor))
    return [row for batch in batches for row in batch.rows.rows()], batches[-1].cursor if batches else cursor


def test_it_reads_on_from_its_cursor(tmp_path, database):
    reader = sql(URL, table="w", cursor="at")
    add(database, ("EWR", "01", 1.0), ("JFK", "01", 2.0), ("EWR", "02", 3.0))
    assert reader.pending(tmp_path, "") == "3 new rows"
    rows, cursor = read_all(reader, tmp_path)
    assert rows == [("EWR", "01", 1.0), ("JFK", "01", 2.0), ("EWR", "02", 3.0)]
    assert reader.pending(tmp_path, cursor) is None
    assert read_all(reader, tmp_path, cursor) == ([], cursor)


def test_a_row_that_comes_later_with_the_last_cursor_value_is_not_missed(tmp_path, database):
    reader = sql(URL, table="w", cursor="at")
    add(database, ("EWR", "02", 3.0))
    _, cursor = read_all(reader, tmp_path)
    add(database, ("JFK", "02", 4.0))
    assert reader.pending(tmp_path, cursor) == "1 new row"
    rows, cursor = read_all(reader, tmp_path, cursor)
    assert set(rows) == {("EWR", "02", 3.0), ("JFK", "02", 4.0)}
    assert reader.pending(tmp_path, cursor) is None


def test_rows_without_a_cursor_value_are_read_too(tmp_path, database):
    reader = sql(URL, table="w", cursor="at")
    add(database, ("EWR", None, 1.0), ("EWR", "01", 2.0))
    rows, cursor = read_all(reader, tmp_path)
    assert set(rows) == {("EWR", None, 1.0), ("EWR", "01", 2.0)}
    assert reader.pending(tmp_path, cursor) is None
    add(database, ("JFK", None, 1.0))
    assert reader.pending(tmp_path, cursor) == "1 new row"
    rows, _ = read_all(reader, tmp_path, cursor)
    assert ("JFK", None, 1.0) in rows


def test_without_a_cursor_everything_is_read_when_anything_changed(tmp_path, database):
    reader = sql(URL, query="SELECT origin, temp FROM w WHERE temp > 0;")
    add(database, ("EWR", "01", 1.0))
    rows, cursor = read_all(reader, tmp_path)
    assert rows == [("EWR", 1.0)]
    assert reader.pending(tmp_path, cursor) is None
    database.execute("UPDATE w SET temp = 2")
    assert reader.pending(tmp_path, cursor) == "rows have changed"
    assert read_all(reader, tmp_path, cursor)[0] == [("EWR", 2.0)]


@settings(max_examples=15, deadline=None)
@given(moments=st.lists(st.integers(0, 6), min_size=1, max_size=25), chunk=st.integers(1, 7))
def test_chunks_never_part_rows_that_share_a_cursor_value(tmp_path_factory, moments, chunk):
    folder = tmp_path_factory.mktemp("sql")
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("CREATE TABLE w (id INTEGER, at INTEGER)")
    connection.executemany("INSERT INTO w VALUES (?, ?)", list(enumerate(moments)))
    connection.close()
    reader = sql(URL, table="w", cursor="at", chunk_rows=chunk)
    seen: list[tuple[int, int]] = []
    ends = set()
    for batch in reader.read(folder, ""):
        values = batch.rows["at"].to_list()
        assert not ends & set(values)
        ends |= set(values)
        seen += batch.rows.rows()
        rest = [row for later in reader.read(folder, batch.cursor) for row in later.rows.rows()]
        # Reading on from any batch gives the rest, and at most the ties of its last value again.
        assert set(enumerate(moments)) <= set(seen) | set(rest)
        assert all(at >= values[-1] for _, at in rest)
    assert sorted(seen) == sorted(enumerate(moments))


def test_its_fingerprint_changes_with_new_rows(tmp_path, database):
    reader = sql(URL, table="w", cursor="at")
    before = reader.fingerprint(tmp_path)
    add(database, ("EWR", "01", 1.0))
    assert reader.fingerprint(tmp_path) != before


def test_values_of_several_types_stay_as_text(tmp_path, database):
    add(database, ("EWR", "01", 1.5), ("EWR", "02", "warm"))
    rows, _ = read_all(sql(URL, table="w", cursor="at"), tmp_path)
    assert rows == [("EWR", "01", "1.5"), ("EWR", "02", "warm")]


def test_what_is_not_there_is_named(tmp_path, database):
    with pytest.raises(SourceError, match=r"database other\.db is not there"):
        list(sql("sqlite:///other.db", table="w").read(tmp_path, ""))
    assert not (tmp_path / "other.db").exists()
    with pytest.raises(SourceError, match=r"weather of .*not there; expected one of its tables: w"):
        list(sql(URL, table="weather").read(tmp_path, ""))
    with pytest.raises(SourceError, match=r"no column 'att'.*'at' is close"):
        list(sql(URL, table="w", cursor="att").read(tmp_path, ""))
    with pytest.raises(SourceError, match="can't be read: no such column"):
        list(sql(URL, query="SELECT absent FROM w").read(tmp_path, ""))


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "raw.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SourceError, match="file is not a database"):
        list(sql(URL, table="w").read(tmp_path, ""))


@pytest.mark.parametrize("what", [{}, {"table": "w", "query": "SELECT 1"}])
def test_a_table_or_a_query_must_be_given(what):
    with pytest.raises(ProjectError, match="a table or a query"):
        sql(URL, **what)


def test_a_password_is_never_shown():
    assert "secret" not in sql("postgresql+psycopg://me:secret@host/db", table="w").words
