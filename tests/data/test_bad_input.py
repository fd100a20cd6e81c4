"""Every bad input of raw data gets one plain message that names it, or goes to quarantine; state is unharmed."""

from __future__ import annotations

import gzip
import sqlite3

import polars as pl
import pytest

from drivetrain.core.errors import DrivetrainError, ProjectError, SourceError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.readers.sql import sql
from drivetrain.data.source import Source

CONTRACT = Contract(
    {
        "flight_id": Column("string"),
        "dest": Column("string", references=("airports", "faa")),
        "dep_time": Column("int", low=1, high=2400),
    }
)
HEADER = "flight_id,dest,dep_time\n"


@pytest.fixture
def flights(place):
    place.write("airports.csv", "faa\nIAH\nMIA\n")
    place.take(Source(name="airports", reader=files("airports.csv"), key=("faa",)))
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",), contract=CONTRACT)
    place.write("raw/1.csv", HEADER + "A,IAH,517\n")
    place.take(source)
    return source


def refused_whole(place, source, words):
    """The call fails with one plain sentence, and the table stays as it was."""
    before = place.store.tables.version(source.name)
    rows = place.rows(source.name) if before is not None else []
    with pytest.raises(DrivetrainError, match=words) as caught:
        place.take(source)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code in (1, 2)
    assert place.store.tables.version(source.name) == before
    assert not rows or place.rows(source.name) == rows


def test_a_missing_file(place):
    source = Source(name="airlines", reader=files("raw/airlines.csv"), key=("carrier",))
    refused_whole(place, source, r"raw/airlines\.csv is not there; found nothing at .*Put the file there\.")


def test_an_unreadable_file(place, flights):
    source = Source(name="other", reader=files("raw/*.parquet"), key=("flight_id",))
    place.write("raw/2.parquet", b"PAR1" + b"\0" * 40)
    refused_whole(place, source, r"raw/2\.parquet can't be read as parquet")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (HEADER.encode("utf-16"), "text in UTF-16"),
        (HEADER.encode("utf-16-le"), "bytes that are no text in UTF-8"),
        (b"PAR1" + b"\0" * 40, "Parquet"),
        (b"PK\x03\x04rest", "a workbook or a zip archive"),
        (gzip.compress(HEADER.encode(), mtime=0), "packed with gzip"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b'{"error": "no"}\n', "JSON"),
    ],
)
def test_a_file_that_is_no_csv(place, flights, data, kind):
    place.write("raw/2.csv", data)
    refused_whole(
        place, flights, rf"raw/2\.csv is no CSV; found {kind}; expected text in UTF-8\. Deliver the file again"
    )


def test_an_unreadable_row(place, flights):
    place.write("raw/2.csv", HEADER + "B,IAH,530\nC,IAH\nD,IAH,540,surplus\n")
    assert place.take(flights).quarantined == 2
    assert [row["flight_id"] for row in place.rows("flights")] == ["A", "B"]
    assert [(line, reasons) for line, reasons, _ in place.refused("flights")] == [
        (3, ["unreadable row: found 2 fields, expected 3"]),
        (4, ["unreadable row: found 4 fields, expected 3"]),
    ]


def test_a_value_of_the_wrong_type(place, flights):
    place.write("raw/2.csv", HEADER + "B,IAH,half past five\nC,IAH,530\n")
    place.take(flights)
    assert [row["flight_id"] for row in place.rows("flights")] == ["A", "C"]
    [(_, reasons, row)] = place.refused("flights")
    assert reasons == ["dep_time: found 'half past five', expected a whole number"]
    assert '"flight_id":"B"' in row


def test_a_column_of_the_wrong_type(place, flights):
    rows = "".join(f"B{number},IAH,x\n" for number in range(150))
    place.write("raw/2.csv", HEADER + rows)
    refused_whole(
        place, flights, r"raw/2\.csv breaks its contract in 150 of 150 rows: dep_time: expected a whole number"
    )


def test_a_renamed_column(place, flights):
    place.write("raw/2.csv", "flight_id,dest,departure_time\nB,IAH,530\n")
    refused_whole(place, flights, r"raw/2\.csv lacks the column 'dep_time'.*'departure_time' may be 'dep_time' renamed")


def test_a_renamed_column_that_only_prepare_reads(place):
    def late(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(late=pl.col("delay") > 15)

    place.write("raw/1.csv", "flight_id,arr_delay\nA,5\n")
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",), prepare=late)
    refused_whole(place, source, r"raw/1\.csv, as late needs it, lacks the column 'delay'.*'arr_delay' may be 'delay'")


def test_a_prepare_function_that_fails(place):
    def broken(rows: pl.DataFrame) -> pl.DataFrame:
        return {}["nothing"]

    def nothing(rows: pl.DataFrame) -> pl.DataFrame:
        rows.clear()

    place.write("raw/1.csv", "flight_id\nA\n")
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",), prepare=broken)
    refused_whole(place, source, "broken failed with KeyError: 'nothing'")
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",), prepare=nothing)
    refused_whole(place, source, "nothing must return a Polars frame; found NoneType")


def test_an_unknown_airport(place, flights):
    place.write("raw/2.csv", HEADER + "B,XXX,530\nC,MIA,530\n")
    place.take(flights)
    assert [row["flight_id"] for row in place.rows("flights")] == ["A", "C"]
    assert place.refused("flights")[0][1] == ["dest: found 'XXX', expected a faa of table airports"]


def test_a_table_that_is_referred_to_and_does_not_exist(place, flights):
    contract = Contract({"dest": Column("string", references=("harbours", "code"))})
    source = Source(name="ships", reader=files("raw/*.csv"), key=("flight_id",), contract=contract)
    refused_whole(place, source, "'ships' looks rows up in a table that no source makes; found 'harbours'")
    contract = Contract({"dest": Column("string", references=("airports", "iata"))})
    source = Source(name="ships", reader=files("raw/*.csv"), key=("flight_id",), contract=contract)
    refused_whole(place, source, "table airports lacks the column 'iata'")


def test_a_duplicate_key(place, flights):
    place.write("raw/2.csv", HEADER + "B,IAH,530\nB,IAH,531\n")
    place.take(flights)
    assert [row["dep_time"] for row in place.rows("flights")] == [517, 531]
    assert place.refused("flights")[0][1][0].startswith("key flight_id: found 'B', expected only one row")


def test_an_empty_file_where_there_are_rows_already(place, flights):
    place.write("raw/2.csv", HEADER)
    assert place.take(flights).rows == 1
    assert place.pending(flights) is None


@pytest.mark.parametrize("text", [HEADER, "flight_id\n"])
def test_an_empty_file_and_nothing_else(place, text):
    place.write("raw/1.csv", text)
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",))
    refused_whole(place, source, r"source 'flights' has no rows yet; found files raw/\*\.csv\. Deliver rows")


def test_an_empty_database_table(place):
    connection = sqlite3.connect(place.folder / "raw.db")
    connection.execute("CREATE TABLE weather (at TEXT)")
    connection.close()
    source = Source(name="weather", reader=sql("sqlite:///raw.db", table="weather", cursor="at"), key=("at",))
    refused_whole(place, source, "source 'weather' has no rows yet; found weather of sqlite:///raw.db")


def test_rows_that_are_all_refused_leave_an_empty_table_and_their_reasons(place):
    place.write("raw/1.csv", "flight_id,n\nA,-1\n")
    contract = Contract({"n": Column("int", low=0)})
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",), contract=contract)
    made = place.take(source)
    assert (made.rows, made.quarantined) == (0, 1)
    place.write("raw/2.csv", "flight_id,n\nB,1\n")
    assert place.take(source).rows == 1
    assert len(place.refused("flights")) == 1


def test_a_key_that_is_no_column(place):
    place.write("raw/1.csv", "flight,n\nA,1\n")
    source = Source(name="flights", reader=files("raw/*.csv"), key=("flight_id",))
    refused_whole(place, source, "lacks the column 'flight_id'.*'flight' may be 'flight_id' renamed")


def test_an_impossible_check_is_named(place):
    place.write("raw/1.csv", "id,n\nA,1\n")
    contract = Contract(checks={"positive": pl.col("m") > 0})
    source = Source(name="flights", reader=files("raw/*.csv"), key=("id",), contract=contract)
    with pytest.raises(SourceError, match="the check 'positive' lacks the column 'm'"):
        place.take(source)


def test_errors_are_of_the_right_kind():
    assert issubclass(SourceError, DrivetrainError)
    assert ProjectError.exit_code == 2
