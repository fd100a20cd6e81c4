from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest

from drivetrain.core.clock import HOUR, datetime_of
from drivetrain.core.errors import ContractBreach, SourceError
from drivetrain.core.records import TableVersion
from drivetrain.data import ledger, quarantine
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.duplicates import changed
from drivetrain.data.quarantine import Refused
from drivetrain.data.readers.files import files
from drivetrain.data.readers.sql import sql
from drivetrain.data.source import Source

CONTRACT = Contract({"id": Column("int"), "t": Column("time"), "x": Column("float", low=0)})


def events(**declared):
    settings = {"name": "events", "reader": files("raw/*.csv"), "key": ("id",), "time": "t", "contract": CONTRACT}
    return Source(**{**settings, **declared})


def test_rows_become_a_table_with_times_and_an_order(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01T09:00:00Z,5\n2,2013-07-01T08:00:00Z,\n")
    made = place.take(events(delay=HOUR))
    frame = place.store.tables.read("events").sort("_seq")
    at = datetime(2013, 7, 1, 9, tzinfo=UTC)
    assert frame["_event_time"].to_list()[0] == at
    assert frame["_available_at"].to_list()[0] == at.replace(hour=10)
    assert frame["_seq"].to_list() == [1, 2]
    assert (made.rows, made.added, made.quarantined, made.version) == (2, 2, 0, 0)
    assert (datetime_of(made.first_event).hour, datetime_of(made.last_event).hour) == (8, 9)
    assert datetime_of(made.last_available).hour == 10
    assert {column.name: column.dtype for column in made.columns}["x"] == "Float64"
    assert place.store.catalog.get(TableVersion, "events@0") == made


def test_a_row_is_never_known_before_it_happened(place):
    place.write(
        "raw/1.csv", "id,t,x,known\n1,2013-07-01T09:00Z,5,2013-07-01T08:00Z\n2,2013-07-01T09:00Z,5,2013-07-01T11:00Z\n"
    )
    place.take(events(available="known"))
    assert [at.hour for at in place.store.tables.read("events").sort("_seq")["_available_at"]] == [9, 11]


def test_facts_without_a_time_are_known_always(place):
    place.write("raw/1.csv", "id,name\n1,Newark\n")
    made = place.take(Source(name="airports", reader=files("raw/*.csv"), key=("id",)))
    assert place.store.tables.read("airports")["_available_at"].to_physical().to_list() == [0]
    assert made.first_event is None


def test_the_same_input_twice_changes_nothing(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    first = place.take(events())
    assert place.take(events(), now=first.at + 5) == first
    assert place.pending(events()) is None
    place.write("raw/2.csv", "id,t,x\n1,2013-07-01,5\n")
    again = place.take(events())
    assert (again.digest, again.rows, again.added) == (first.digest, 1, 0)
    assert place.pending(events()) is None


def test_new_rows_are_added_and_changed_rows_take_the_place_of_old_ones(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,6\n")
    first = place.take(events())
    place.write("raw/2.csv", "id,t,x\n2,2013-07-01,7\n3,2013-07-02,8\n1,2013-07-01,5\n")
    assert place.pending(events()) == "1 new file: 2.csv"
    second = place.take(events())
    assert [(row["id"], row["x"]) for row in place.rows("events")] == [(1, 5.0), (2, 7.0), (3, 8.0)]
    assert (second.rows, second.added, second.version) == (3, 2, 1)
    assert second.digest != first.digest
    assert place.store.tables.read("events").sort("id")["_seq"].to_list() == [1, 3, 4]
    assert place.store.tables.read("events", 0).height == 2


def test_of_rows_that_share_a_key_in_a_batch_the_last_wins_and_the_others_are_shown(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n1,2013-07-01,6\n2,2013-07-01,7\n2,2013-07-01,7\n1,2013-07-01,8\n")
    made = place.take(events())
    assert [(row["id"], row["x"]) for row in place.rows("events")] == [(2, 7.0), (1, 8.0)]
    assert made.quarantined == 2
    assert made.reasons["the same row again: left out"] == 1
    assert {reasons[0] for _, reasons, _ in place.refused("events")} == {
        "key id: found 1, expected only one row with this key in a batch; a later one took its place"
    }


def test_bad_rows_are_set_aside_with_their_reasons(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,abc\n2,2013-07-01,-3\n,2013-07-01,4\n4,,4\n5,2013-07-01,5\n6,2013\n")
    made = place.take(events())
    assert [row["id"] for row in place.rows("events")] == [5]
    told = {tuple(reasons): (line, row) for line, reasons, row in place.refused("events")}
    assert told[("unreadable row: found 2 fields, expected 3",)] == (7, "6,2013")
    assert json.loads(told[("x: found 'abc', expected a number",)][1])["id"] == "1"
    assert set(told) == {
        ("unreadable row: found 2 fields, expected 3",),
        ("x: found 'abc', expected a number",),
        ("x: found -3.0, expected at least 0",),
        ("id: found nothing, expected a value: it is the key",),
        ("t: found nothing, expected a value: it is the event's time",),
    }
    assert made.quarantined == 5
    assert sum(made.reasons.values()) == 5
    assert quarantine.summary(place.store.tables, "events")["x: expected a number"] == 1


def test_a_mended_file_leaves_nothing_stale_in_quarantine(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,abc\n2,2013-07-01,-3\n")
    place.write("raw/2.csv", "id,t,x\n9,2013-07-01,-9\n")
    place.take(events())
    assert len(place.refused("events")) == 3
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,1\n2,2013-07-01,-4\n")
    place.take(events())
    assert [row["id"] for row in place.rows("events")] == [1]
    assert sorted(reasons[0] for _, reasons, _ in place.refused("events")) == [
        "x: found -4.0, expected at least 0",
        "x: found -9.0, expected at least 0",
    ]


def test_a_new_definition_reads_everything_again(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,-6\n")
    place.write("raw/2.csv", "id,t,x\n3,2013-07-01,50\n")
    place.take(events())
    looser = events(contract=Contract({**CONTRACT.columns, "x": Column("float", high=20)}))
    assert place.pending(looser) == "its definition changed: everything is read again"
    made = place.take(looser)
    assert [row["id"] for row in place.rows("events")] == [1, 2]
    assert made.rows == 2
    assert [reasons for _, reasons, _ in place.refused("events")] == [["x: found 50.0, expected at most 20"]]
    assert place.store.tables.read("events", 0)["id"].to_list() == [1]


def test_prepare_is_given_declared_types_and_the_tables_it_uses(place):
    place.write("airports.csv", "faa,zone\nEWR,A\n")
    place.write("raw/1.csv", "id,t,x,faa\n1,2013-07-01,5,EWR\n2,2013-07-01,5,XXX\n3,2013-07-01,0,EWR\n")
    airports = Source(name="airports", reader=files("airports.csv"), key=("faa",))

    def with_zone(rows: pl.DataFrame, airports: pl.DataFrame) -> pl.DataFrame:
        assert rows.schema["x"] == pl.Float64
        return rows.filter(pl.col("x") > 0).join(airports, on="faa", how="left")

    contract = Contract({**CONTRACT.columns, "faa": Column("string", references=("airports", "faa"))})
    source = events(prepare=with_zone, uses=(airports,), contract=contract)
    with pytest.raises(SourceError, match=r"'airports', which has no rows yet"):
        place.take(airports_missing(place, source, airports))
    place.take(airports)
    made = place.take(source)
    assert [(row["id"], row["zone"]) for row in place.rows("events")] == [(1, "A")]
    assert made.reasons == {"left out by with_zone": 1, "faa: expected a faa of table airports": 1}
    assert [link.source for link in place.store.catalog.links(target=made.ref)] == ["table:airports@0"]


def airports_missing(place, source, airports):
    place.sources["airports"] = airports
    return source


def test_fail_refuses_a_batch_whole_and_leaves_the_table_alone(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    strict = events(contract=Contract(CONTRACT.columns, on_breach="fail"))
    first = place.take(strict)
    place.write("raw/2.csv", "id,t,x\n2,2013-07-01,5\n3,2013-07-01,-5\n")
    with pytest.raises(ContractBreach, match=r"raw/2\.csv breaks its contract in 1 of 2 rows.*-5\.0"):
        place.take(strict)
    assert place.store.tables.version("events") == first.version
    assert place.refused("events") == []
    place.write("raw/2.csv", "id,t,x\n2,2013-07-01,5\n3,2013-07-01,6\n")
    assert place.take(strict).rows == 3


def test_a_refusal_quotes_no_value_that_may_not_be_shown(place):
    columns = {
        "id": Column("int"),
        "n": Column("int", high=3),
        "email": Column("string", pattern="@x", privacy="personal"),
    }
    source = Source(name="people", reader=files("raw/*.csv"), key=("id",), contract=Contract(columns, on_breach="fail"))
    place.write("raw/1.csv", "id,email,n\n1,ada@secret.org,1\n")
    with pytest.raises(ContractBreach, match="for example email: found a masked value, expected") as told:
        place.take(source)
    assert "ada" not in str(told.value)
    place.write("raw/1.csv", "id,email,n\n1,ada@x.org,1\n2,ada@x.org,9\n")
    with pytest.raises(ContractBreach, match="n: found 9, expected at most 3"):
        place.take(source)
    place.write("raw/1.csv", "id,email,n\n" + "".join(f"{n},ada{n}@secret.org,1\n" for n in range(200)))
    with pytest.raises(ContractBreach, match="at most a share of") as told:
        place.take(replace(source, contract=Contract(columns)))
    assert "ada" not in str(told.value)


def test_warn_keeps_rows_and_counts(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,abc\n2,2013-07-01,-3\n,2013-07-01,4\n")
    made = place.take(events(contract=Contract(CONTRACT.columns, on_breach="warn")))
    assert [(row["id"], row["x"]) for row in place.rows("events")] == [(1, None), (2, -3.0)]
    assert made.reasons["x: expected a number"] == 1
    assert made.reasons["x: expected at least 0"] == 1
    assert made.quarantined == 1


def test_a_batch_that_is_mostly_bad_is_refused_whole(place):
    rows = "".join(f"{number},2013-07-01,{number - 70}\n" for number in range(120))
    place.write("raw/1.csv", "id,t,x\n" + rows)
    with pytest.raises(ContractBreach, match=r"70 of 120 rows.*share of 0\.5"):
        place.take(events())
    assert place.store.tables.version("events") is None


def test_a_batch_with_too_few_rows_is_refused(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    with pytest.raises(ContractBreach, match="too few rows; found 1; expected 3 or more"):
        place.take(events(contract=Contract(CONTRACT.columns, min_rows=3)))


def test_new_columns_nobody_declared_are_left_out_and_counted(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    place.take(events())
    place.write("raw/2.csv", "id,t,x,note\n2,2013-07-01,5,hello\n")
    made = place.take(events())
    assert made.reasons == {"column 'note' is new and not declared: left out": 1}
    assert set(place.rows("events")[0]) == {"id", "t", "x"}


def test_batches_before_a_broken_one_stand(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    place.write("raw/2.csv", "")
    with pytest.raises(SourceError, match=r"raw/2\.csv has no header"):
        place.take(events())
    assert [row["id"] for row in place.rows("events")] == [1]
    place.write("raw/2.csv", "id,t,x\n2,2013-07-01,5\n")
    assert place.take(events()).rows == 2


def test_the_catalog_catches_up_with_versions_it_was_never_told_of(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    first = place.take(events())
    place.write("raw/2.csv", "id,t,x\n2,2013-07-01,5\n")
    second = place.take(events())
    forgetful = type(place.store.catalog)()
    place.store = type(place.store)(
        catalog=forgetful,
        tables=place.store.tables,
        blobs=place.store.blobs,
        online=place.store.online,
        leases=place.store.leases,
        run_log=place.store.run_log,
        settings=place.store.settings,
        folder=place.store.folder,
    )
    assert place.take(events()) == second
    assert forgetful.find(TableVersion, "events") == [second, first]


def test_compaction_keeps_how_far_the_source_was_read(place):
    for number in range(4):
        place.write(f"raw/{number}.csv", f"id,t,x\n{number},2013-07-01,5\n")
    made = place.take(events())
    place.store.tables.compact("events")
    assert place.pending(events()) is None
    after = place.take(events())
    assert (after.digest, after.rows, after.version) == (made.digest, 4, made.version + 1)


def test_two_processes_at_once_neither_lose_nor_double(place, monkeypatch):
    """The other one takes in the same batch, and one more file, just before our commit."""
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n5,2013-07-01,-5\n")
    tables = place.store.tables
    replace = tables.replace
    moved = []

    def overtaken(*arguments, **named):
        if not moved:
            moved.append(True)
            place.write("raw/0.csv", "id,t,x\n0,2013-07-01,5\n7,2013-07-01,-7\n")
            place.take(events())
        return replace(*arguments, **named)

    monkeypatch.setattr(tables, "replace", overtaken)
    made = place.take(events())
    assert sorted(row["id"] for row in place.rows("events")) == [0, 1]
    assert made.rows == 2
    assert sorted(reasons[0] for _, reasons, _ in place.refused("events")) == [
        "x: found -5.0, expected at least 0",
        "x: found -7.0, expected at least 0",
    ]


def test_who_loses_the_same_batch_counts_on_from_what_won(place, monkeypatch):
    """The other one commits the batch between our reading it and our looking what the table has of it."""
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n")
    place.take(events())
    for number in (2, 3):
        place.write(f"raw/{number}.csv", f"id,t,x\n{number},2013-07-01,5\n")
    moved = []

    def overtaken(*arguments):
        if not moved:
            moved.append(True)
            third = place.folder / "raw" / "3.csv"
            data = third.read_bytes()
            third.unlink()
            place.take(events())
            third.write_bytes(data)
        return changed(*arguments)

    monkeypatch.setattr("drivetrain.data.ingest.changed", overtaken)
    made = place.take(events())
    assert place.store.tables.read("events").sort("id")["_seq"].to_list() == [1, 2, 3]
    assert made.rows == 3


def test_what_an_overtaken_process_left_in_quarantine_is_removed(place):
    """It read the same place, got its rows otherwise, and was killed before it could take its own back."""
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,-5\n")
    place.take(events())
    tables = place.store.tables
    present, _ = ledger.last_entry(tables, "events")
    stray = msgspec.structs.replace(present, batch="of somebody else")
    quarantine.keep(tables, "events", stray, [Refused(None, ["x"], ["x: found -7"], "{}")], 1)
    place.write("raw/2.csv", "id,t,x\n3,2013-07-01,5\n")
    place.take(events())
    assert [reasons for _, reasons, _ in place.refused("events")] == [["x: found -5.0, expected at least 0"]]


def test_the_same_bad_row_delivered_again_is_one_bad_row(place):
    text = "id,t,x\n1,2013-07-01,5\n2,2013-07-01,-3\n3,2013\n"
    place.write("raw/1.csv", text)
    place.take(events())
    place.write("raw/copy of 1.csv", text)
    made = place.take(events())
    assert made.quarantined == 0
    assert made.reasons == {
        "refused before and the same again: left out": 2,
        "in the table already, and the same: left out": 1,
    }
    assert len(place.refused("events")) == 2
    place.write("raw/1.csv", text + "4,2013-07-01,4\n")
    place.take(events())
    assert len(place.refused("events")) == 2


def test_rows_that_come_again_in_another_file_are_counted(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,6\n")
    place.take(events())
    place.write("raw/2.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,7\n3,2013-07-01,8\n")
    made = place.take(events())
    assert (made.delivered, made.added, made.rows) == (3, 2, 3)
    assert made.reasons == {
        "in the table already, and the same: left out": 1,
        "took the place of a row with the same key": 1,
    }
    place.write("raw/2.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,7\n3,2013-07-01,9\n")
    assert not place.take(events()).reasons  # a file that is read again brings its rows again


def test_a_refusal_of_the_whole_names_what_rows_break(place):
    contract = Contract(
        {"x": Column("float", low=0)}, tables={"some x above 5": pl.col("x").max() > 5}, max_quarantine_share=1.0
    )
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,-3\n")
    with pytest.raises(
        ContractBreach,
        match=r"in 1 of 2 rows \(x: expected at least 0 \(1\)\), and as a whole: some x above 5: found false",
    ):
        place.take(events(contract=contract))


def test_a_bad_row_among_the_last_ties_of_a_database_is_refused_once(place):
    database = sqlite3.connect(place.folder / "raw.db", isolation_level=None)
    database.execute("CREATE TABLE w (id INT, t TEXT, x REAL)")
    database.executemany("INSERT INTO w VALUES (?, ?, ?)", [(1, "2013-07-01", 5), (2, "2013-07-01", -5)])
    source = events(reader=sql("sqlite:///raw.db", table="w", cursor="t"))
    place.take(source)
    database.execute("INSERT INTO w VALUES (3, '2013-07-01', 6)")
    assert place.pending(source) == "1 new row"
    made = place.take(source)
    database.close()
    assert (made.rows, made.added, made.quarantined) == (2, 1, 0)
    assert len(place.refused("events")) == 1
