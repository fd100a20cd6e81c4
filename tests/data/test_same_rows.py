"""Five thousand real flights become the same table by whatever road they come."""

from __future__ import annotations

import json
import sqlite3
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import psycopg
import pytest
from tests.data.feeds import write
from tests.data.test_streams import publish

from drivetrain.core.clock import iso, micros_of
from drivetrain.data.column import DTYPES, Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.readers.http import http
from drivetrain.data.readers.rows import rows
from drivetrain.data.readers.sql import sql
from drivetrain.data.readers.stream import stream
from drivetrain.data.source import Source
from drivetrain.testing.api import running_api
from drivetrain.testing.kafka import running_kafka
from drivetrain.testing.nats import nats_server
from drivetrain.testing.postgres import postgres
from drivetrain.testing.s3 import s3

__all__ = ["nats_server", "postgres", "s3"]

pytestmark = pytest.mark.services
FLIGHTS = Path(__file__).parents[2] / "examples" / "flights" / "data" / "flights.parquet"
NUMBER = 5_000


@pytest.fixture(scope="module")
def flights():
    frame = pl.scan_parquet(FLIGHTS).gather_every(67).head(NUMBER).collect().with_row_index("number")
    types = {
        name: "int" if dtype.is_integer() else "float" if dtype.is_float() else "string"
        for name, dtype in frame.schema.items()
    }
    types |= {name: "time" for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)}
    contract = Contract({name: Column(kind) for name, kind in types.items()})
    return frame.with_columns(pl.selectors.integer().cast(pl.Int64), pl.selectors.float().cast(pl.Float64)), contract


def plain(frame):
    """Rows as JSON has them."""
    moments = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    return [{**row, **{name: iso(micros_of(row[name].isoformat())) for name in moments}} for row in frame.to_dicts()]


@pytest.mark.parametrize(
    "road",
    ["csv", "csv.gz", "jsonl.zst", "parquet", "arrow", "bucket", "sqlite", "postgres", "http", "nats", "kafka", "rows"],
)
def test_every_road_leads_to_the_same_table(place, flights, road, request, monkeypatch):
    frame, contract = flights
    reader = ROADS[road](place, frame, request, monkeypatch) if road in ROADS else by_file(place, frame, road)
    made = place.take(Source(name="flights", reader=reader, key=("number",), contract=contract))
    assert (made.rows, made.quarantined) == (NUMBER, 0)
    kept = place.store.tables.read("flights").sort("number").select(frame.columns)
    wanted = frame.with_columns(
        pl.col(name).cast(column.dtype) if column.dtype != DTYPES["time"] else pl.col(name).dt.replace_time_zone("UTC")
        for name, column in contract.columns.items()
    )
    assert kept.equals(wanted)


def lasting(request, context):
    """What a context gives, until the test ends."""
    stack = ExitStack()
    request.addfinalizer(stack.close)
    return stack.enter_context(context)


def by_file(place, frame, suffix):
    (place.folder / "raw").mkdir()
    write(frame, place.folder / "raw" / f"1.{suffix}")
    return files(f"raw/*.{suffix}", budget_mib=4)


def by_bucket(place, frame, request, monkeypatch):
    server = request.getfixturevalue("s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    bucket = server.bucket()
    write(frame, place.folder / "1.csv")
    server.put(f"{bucket}/1.csv", (place.folder / "1.csv").read_bytes())
    return files(f"s3://{bucket}/*.csv")


def by_sqlite(place, frame, request, monkeypatch):
    given = plain(frame)
    with sqlite3.connect(place.folder / "raw.db") as database:
        database.execute(f"CREATE TABLE flights ({', '.join(frame.columns)})")
        marks = ", ".join(f":{name}" for name in frame.columns)
        database.executemany(f"INSERT INTO flights VALUES ({marks})", given)
    return sql("sqlite:///raw.db", table="flights", cursor="number", chunk_rows=1_000)


def by_postgres(place, frame, request, monkeypatch):
    url = request.getfixturevalue("postgres").fresh()
    kinds = {pl.Int64: "bigint", pl.Float64: "float8", pl.String: "text", pl.Datetime: "timestamptz"}
    columns = ", ".join(f'"{name}" {kinds[dtype.base_type()]}' for name, dtype in frame.schema.items())
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE flights ({columns})".encode())
        with connection.cursor().copy(b"COPY flights FROM STDIN") as copy:
            for row in plain(frame):
                copy.write_row(list(row.values()))
    return sql(url, table="flights", cursor="number", chunk_rows=1_000)


def by_http(place, frame, request, monkeypatch):
    api = lasting(request, running_api(rows=plain(frame), size=700))
    return http(f"{api.url}/link", pages="link", batch_rows=1_500)


def by_nats(place, frame, request, monkeypatch):
    server = request.getfixturevalue("nats_server")
    publish(server, "FLIGHTS", [json.dumps(row).encode() for row in plain(frame)])
    return stream(server.url, "FLIGHTS", batch_rows=2_000)


def by_kafka(place, frame, request, monkeypatch):
    kafka = lasting(request, running_kafka())
    kafka.send("flights", [(str(row["number"]), json.dumps(row).encode()) for row in plain(frame)])
    return stream(kafka.url, "flights", batch_rows=2_000)


def by_rows(place, frame, request, monkeypatch):
    def given(since):
        yield from plain(frame)

    return rows(given, cursor="number", batch_rows=2_000)


ROADS = {
    "bucket": by_bucket,
    "sqlite": by_sqlite,
    "postgres": by_postgres,
    "http": by_http,
    "nats": by_nats,
    "kafka": by_kafka,
    "rows": by_rows,
}
