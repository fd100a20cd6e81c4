"""The same reader against a real server, with types that SQLite lacks."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from drivetrain.core.errors import SourceError
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
