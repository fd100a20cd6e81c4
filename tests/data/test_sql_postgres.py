"""The same reader against a real server, with types that SQLite lacks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import polars as pl
import psycopg
import pytest

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.data.casting import cast
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.sql import sql
from drivetrain.data.source import Source
from drivetrain.testing.postgres import postgres

__all__ = ["postgres"]

pytestmark = pytest.mark.services
CONTRACT = Contract({"id": Column("int"), "at": Column("time"), "price": Column("float", low=0), "day": Column("date")})


def test_rows_are_taken_in_as_they_come(place, postgres):
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute(
            "CREATE TABLE shop.orders (id int, at timestamptz, price numeric(10, 2), day date, paid bool)"
        )
        insert = "INSERT INTO shop.orders VALUES (%s, %s, %s, %s, %s)"
        connection.execute(insert, (1, "2013-07-01T12:00:00+02:00", "9.50", "2013-07-01", True))
        connection.execute(insert, (2, "2013-07-01T11:00:00Z", "-1", "2013-07-01", None))
        reader = sql(url, table="shop.orders", cursor="at")
        source = Source(name="orders", reader=reader, key=("id",), time="at", contract=CONTRACT)
        made = place.take(source)
        assert (made.rows, made.quarantined) == (1, 1)
        [row] = place.rows("orders")
        assert row["at"] == datetime(2013, 7, 1, 10, tzinfo=UTC)
        assert (row["price"], row["paid"]) == (9.5, True)
        assert place.pending(source) is None
        connection.execute(insert, (3, "2013-07-01T11:00:00Z", "4", "2013-07-02", False))
        connection.execute(insert, (4, "2013-07-02T11:00:00Z", "5", "2013-07-02", False))
        assert place.pending(source) == "2 new rows"
        assert place.take(source).rows == 3
        assert len(place.refused("orders")) == 1


def test_a_server_that_is_away_is_named(tmp_path):
    with pytest.raises(
        SourceError, match=r"w of postgresql://me:\*\*\*@127\.0\.0\.1:1/db can't be read: .*refused"
    ) as caught:
        list(sql("postgresql://me:secret@127.0.0.1:1/db", table="w").read(tmp_path, ""))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("wrong", "told"), [("/nowhere", "does not exist"), ("/postgres?user=nobody", "nobody")])
def test_a_server_that_refuses_is_not_asked_again(postgres, tmp_path, wrong, told):
    url = postgres.fresh().rpartition("/")[0] + wrong
    with pytest.raises(SourceError, match=told) as caught:
        list(sql(url, table="w").read(tmp_path, ""))
    assert not isinstance(caught.value, SourceAway)


def test_columns_hold_what_rows_would(postgres, tmp_path, monkeypatch):
    """Through ADBC and through psycopg, whatever the session's time zone is."""
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET timezone TO 'Asia/Tokyo'")
        connection.execute(
            """CREATE TABLE w AS SELECT n::int AS id, '2013-07-01T12:00Z'::timestamptz + n * interval '1 hour' AS at,
            '2013-07-01'::timestamp AS naive, (n / 7.0)::numeric(12, 4) AS price, n % 2 = 0 AS even, n::real AS small,
            '2013-07-01'::date + n::int AS day, nullif('it''s %s :n ' || n, 'it''s %s :n 3') AS "Some text", n::bigint
            AS n, 'a'::char(3) AS c FROM generate_series(1, 25) n"""
        )
    reader = sql(url, table="w", cursor="at", chunk_rows=7)
    fast = list(reader.read(tmp_path, ""))
    assert reader.pending(tmp_path, fast[-1].cursor) is None
    rest = list(reader.read(tmp_path, fast[0].cursor))
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    slow = list(reader.read(tmp_path, ""))
    assert [batch.cursor for batch in fast] == [batch.cursor for batch in slow]
    wanted = pl.concat(kept(batch.rows) for batch in slow)
    assert pl.concat(kept(batch.rows) for batch in fast).equals(wanted)
    assert pl.concat(kept(batch.rows) for batch in rest).equals(wanted[5:])


def kept(frame):
    """Rows as a table would keep them."""
    return cast(frame, {})[0]


def test_types_that_would_arrive_otherwise_come_row_by_row(postgres, tmp_path):
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("""CREATE TABLE w AS SELECT 1 AS id, '{"a": [1]}'::jsonb AS body, '{1,2}'::int[] AS parts""")
    [batch] = sql(url, table="w", cursor="id").read(tmp_path, "")
    assert batch.rows.to_dicts() == [{"id": 1, "body": '{"a":[1]}', "parts": "[1,2]"}]


def test_a_decimal_cursor_is_exact(postgres, tmp_path):
    """As a double, the second would not be seen to be greater than the first."""
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE w AS SELECT 1 AS id, 12345678901234567890.10::numeric(30, 2) AS at")
        reader = sql(url, table="w", cursor="at")
        [batch] = reader.read(tmp_path, "")
        assert reader.pending(tmp_path, batch.cursor) is None
        assert list(reader.read(tmp_path, batch.cursor)) == []
        connection.execute("INSERT INTO w VALUES (2, 12345678901234567890.11)")
        assert reader.pending(tmp_path, batch.cursor) == "1 new row"
        [batch] = reader.read(tmp_path, batch.cursor)
        assert 2 in batch.rows["id"].to_list()
        assert list(reader.read(tmp_path, batch.cursor)) == []


def test_a_password_may_stand_in_the_environment(postgres, tmp_path, monkeypatch):
    url = postgres.fresh()
    monkeypatch.setenv("WHO", "drivetrain:hidden")
    reader = sql(url.replace("drivetrain@", "${WHO}@"), query="SELECT 1 AS id", cursor="id")
    [batch] = reader.read(tmp_path, "")
    assert batch.rows.rows() == [(1,)]
    assert "hidden" not in reader.words
