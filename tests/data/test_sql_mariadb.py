"""The same reader through SQLAlchemy alone, against a real MariaDB server whose clock is not UTC's."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime

import pytest

from drivetrain.core.errors import MissingExtra, SourceAway, SourceError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.sql import sql
from drivetrain.data.source import Source
from drivetrain.testing.mariadb import mariadb, running_mariadb
from drivetrain.testing.readers import Feed, ReaderConformance

__all__ = ["mariadb"]

pytestmark = pytest.mark.services


class MariaDbFeed(Feed):
    def __init__(self, server) -> None:
        self.server = server
        self.name = server.fresh()
        with server.connected(self.name) as connection:
            connection.cursor().execute(
                "CREATE TABLE w (number bigint AUTO_INCREMENT PRIMARY KEY, id int, t datetime, x int)"
            )

    @property
    def reader(self):
        return sql(self.server.url(self.name), table="w", cursor="number", chunk_rows=self.most)

    def deliver(self, rows):
        given = [{**row, "t": row["t"].removesuffix("Z")} for row in rows]
        with self.server.connected(self.name) as connection:
            connection.cursor().executemany("INSERT INTO w (id, t, x) VALUES (%(id)s, %(t)s, %(x)s)", given)

    def vanish(self):
        self.server.kill()


class TestMariaDb(ReaderConformance):
    @pytest.fixture(autouse=True)
    def server(self, request, mariadb):
        if "away" not in request.node.name:
            self.mariadb = mariadb
            yield
            return
        with running_mariadb() as self.mariadb:
            yield

    def feed(self, folder):
        return MariaDbFeed(self.mariadb)


del ReaderConformance


@pytest.fixture
def shop(mariadb):
    """A database, and a way to say statements in it."""
    name = mariadb.fresh()
    with mariadb.connected(name) as connection:
        yield mariadb.url(name), connection.cursor().execute


def read_all(reader, folder, cursor=""):
    batches = list(reader.read(folder, cursor))
    return [row for batch in batches for row in batch.rows.rows()], batches[-1].cursor if batches else cursor


def test_values_arrive_typed_and_moments_in_utc(shop, place):
    url, say = shop
    say(
        "CREATE TABLE orders (id int, at timestamp(6) NULL, naive datetime, price decimal(12, 4), day date, paid bool,"
        " note varchar(50) CHARACTER SET utf8mb4)"
    )
    say(
        "INSERT INTO orders VALUES (1, '2013-07-01 12:00:00.25', '2013-07-01 12:00:00', 9.5, '2013-07-01', true,"
        " 'it''s 10 % :n 🚲'), (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, now(), now(), -1, now(), 0, '')"
    )
    contract = Contract({"id": Column("int"), "at": Column("time"), "price": Column("float", low=0)})
    source = Source(name="orders", reader=sql(url, table="orders", cursor="id"), key=("id",), contract=contract)
    assert place.take(source).quarantined == 1
    first, second = place.rows("orders")
    assert first == {
        "id": 1,
        "at": datetime(2013, 7, 1, 10, 0, 0, 250_000, tzinfo=UTC),
        "naive": datetime(2013, 7, 1, 12, tzinfo=UTC),
        "price": 9.5,
        "day": date(2013, 7, 1),
        "paid": 1,
        "note": "it's 10 % :n 🚲",
    }
    assert set(second.values()) == {2, None}
    assert place.refused("orders")[0][1] == ["price: found -1.0, expected at least 0"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("timestamp(6) NULL", ["2013-07-01 12:00:00.000001", "2013-07-01 12:00:00.000002"]),
        ("datetime(3)", ["2013-07-01 12:00:00.001", "2013-07-01 12:00:00.002"]),
        ("date", ["2013-07-01", "2013-07-02"]),
        ("decimal(30, 10)", ["12345678901234567890.0000000001", "12345678901234567890.0000000002"]),
        ("bigint unsigned", ["18446744073709551614", "18446744073709551615"]),
        ("varchar(20)", ["001", "002"]),
    ],
)
def test_ties_and_nulls_of_any_kind_of_cursor_are_read_once(shop, tmp_path, kind, values):
    url, say = shop
    say(f"CREATE TABLE w (id int, at {kind})")
    reader = sql(url, table="w", cursor="at", chunk_rows=2)
    add = "INSERT INTO w VALUES (%s, %s)"
    for number in range(3):
        say(add, (number, values[0]))
    rows, cursor = read_all(reader, tmp_path)
    assert sorted(row[0] for row in rows) == [0, 1, 2]
    assert reader.pending(tmp_path, cursor) is None
    assert read_all(reader, tmp_path, cursor) == ([], cursor)
    say(add, (3, values[0]))
    say(add, (4, values[1]))
    say(add, (5, None))
    assert reader.pending(tmp_path, cursor) == "3 new rows"
    rows, cursor = read_all(reader, tmp_path, cursor)
    assert {3, 4, 5} <= {row[0] for row in rows}
    assert reader.pending(tmp_path, cursor) is None
    assert read_all(reader, tmp_path, cursor) == ([], cursor)


def test_a_tombstone_takes_its_row_out(shop, place):
    url, say = shop
    say("CREATE TABLE w (id int, x int, gone timestamp NULL, number bigint AUTO_INCREMENT PRIMARY KEY)")
    say("INSERT INTO w (id, x) VALUES (1, 10), (2, 20)")
    reader = sql(url, query="SELECT id, x, gone, number FROM w WHERE 'a%' LIKE '%a%';", cursor="number")
    source = Source(name="w", reader=reader, key=("id",), deleted="gone", contract=Contract({"x": Column("int")}))
    assert place.take(source).rows == 2
    say("INSERT INTO w (id, gone) VALUES (1, now())")
    assert place.take(source).rows == 1
    assert [row["id"] for row in place.rows("w")] == [2]


def test_moments_that_are_none_go_to_quarantine_alone(shop, place):
    url, say = shop
    say("SET sql_mode = ''")
    say("CREATE TABLE w (id int, at datetime)")
    say("INSERT INTO w VALUES (1, '2013-07-01 12:00:00'), (2, '0000-00-00')")
    contract = Contract({"at": Column("time")})
    source = Source(name="w", reader=sql(url, table="w", cursor="id"), key=("id",), contract=contract)
    assert place.take(source).quarantined == 1
    assert [row["at"] for row in place.rows("w")] == [datetime(2013, 7, 1, 12, tzinfo=UTC)]


def test_what_it_refuses_is_named_and_not_waited_for(shop, mariadb, tmp_path):
    url, say = shop
    say("CREATE TABLE w (id int)")
    say("CREATE USER IF NOT EXISTS guest IDENTIFIED BY 'hidden'")
    for reader, told in (
        (sql(url.replace("root@", "guest:wrong@"), table="w"), "Access denied for user 'guest'"),
        (sql(mariadb.url("nowhere"), table="w"), "Unknown database 'nowhere'"),
        (sql(url, table="v"), "expected one of its tables: w"),
        (sql(url, query="SELECT absent FROM w"), "Unknown column 'absent'"),
        (sql(url, query="SELECT FROM"), "You have an error in your SQL syntax"),
    ):
        with pytest.raises(SourceError) as caught:
            list(reader.read(tmp_path, ""))
        assert not isinstance(caught.value, SourceAway)
        assert told in str(caught.value)
        assert "wrong" not in str(caught.value)


def test_its_driver_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(MissingExtra, match=r'pip install "drivetrain\[mysql\]"'):
        list(sql("mysql://me@127.0.0.1:1/db", table="w").read(tmp_path, ""))
