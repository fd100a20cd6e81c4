from __future__ import annotations

import json

import polars as pl
import pytest

from drivetrain.core.errors import RefusedError, UnknownName
from drivetrain.data import quarantine
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.profile import TableProfile
from drivetrain.data.readers.files import files
from drivetrain.data.readmit import readmit
from drivetrain.data.source import Source

AIRPORTS = Source(name="airports", reader=files("airports/*.csv"), key=("faa",))
COLUMNS = {
    "id": Column("int"),
    "t": Column("time"),
    "x": Column("float", low=0),
    "faa": Column("string", references=("airports", "faa")),
}


def flights(**declared):
    settings = {"name": "flights", "reader": files("raw/*.csv"), "key": ("id",), "time": "t", "uses": ()}
    return Source(**{**settings, "contract": Contract(COLUMNS), **declared})


def doubled(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(x=pl.col("x") * 2)


def names(place, rule=""):
    found = quarantine.standing(place.store.tables, "flights")
    return [name for name, rules in found.select("_name", "_rules").iter_rows() if any(rule in one for one in rules)]


def again(place, source, chosen=None, **more):
    chosen = names(place) if chosen is None else chosen
    return readmit(place.store, source, chosen, now=9, sources=place.sources, **more)


def start(place, source):
    place.write("airports/1.csv", "faa\nEWR\n")
    place.take(AIRPORTS)
    place.write(
        "raw/1.csv", "id,t,x,faa\n1,2013-07-01,5,EWR\n2,2013-07-01,6,JFK\n3,2013-07-02,-7,JFK\n4,2013\n5,x,1,EWR\n"
    )
    return place.take(source)


@pytest.mark.parametrize("prepare", [None, doubled])
def test_rows_come_back_once_what_they_lacked_is_there(place, prepare):
    source = flights(prepare=prepare)
    made = start(place, source)
    assert made.rows == 1
    place.write("airports/2.csv", "faa\nJFK\n")
    place.take(AIRPORTS)
    told = again(place, source)
    assert (told.tried, told.admitted, told.refused, told.unreadable) == (3, 1, 2, 1)
    assert told.reasons == {
        "x: expected at least 0": 1,
        "t: expected a moment such as 2013-07-01T09:30:00Z": 1,
    }
    factor = 2 if prepare else 1
    assert [(row["id"], row["x"]) for row in place.rows("flights")] == [(1, 5.0 * factor), (2, 6.0 * factor)]
    assert sorted(reasons[0] for _, reasons, _ in place.refused("flights")) == [
        "t: found 'x', expected a moment such as 2013-07-01T09:30:00Z",
        "unreadable row: found 2 fields, expected 4",
        f"x: found {-7.0 * factor}, expected at least 0",
    ]
    assert place.pending(source) is None
    kept = place.store.catalog.get(TableProfile, f"flights@{told.version}")
    assert [column.rows for column in kept.columns] == [2] * len(kept.columns)
    assert again(place, source).admitted == 0


def test_a_value_can_be_mended_on_the_way(place):
    source = flights()
    start(place, source)
    told = again(place, source, names(place, "at least"), mend={"x": "7", "faa": "EWR"})
    assert (told.tried, told.admitted) == (1, 1)
    assert {row["id"]: row["x"] for row in place.rows("flights")} == {1: 5.0, 3: 7.0}


def test_rows_of_another_definition_are_read_again_instead(place):
    start(place, flights())
    with pytest.raises(RefusedError, match="declared otherwise"):
        again(place, flights(contract=Contract({**COLUMNS, "x": Column("float", low=-9)})))


def test_there_is_nothing_to_bring_back_to_a_table_that_is_not_there(place):
    with pytest.raises(UnknownName, match="no table 'flights' yet"):
        again(place, flights(), ["0" * 16])


def test_a_file_that_was_mended_takes_its_rows_with_it(place):
    source = flights()
    start(place, source)
    place.write("airports/2.csv", "faa\nJFK\n")
    place.take(AIRPORTS)
    again(place, source)
    place.write(
        "raw/1.csv", "id,t,x,faa\n1,2013-07-01,5,EWR\n2,2013-07-01,6,JFK\n3,2013-07-02,7,JFK\n4,2013-07-02,8,JFK\n"
    )
    place.take(source)
    assert [row["id"] for row in place.rows("flights")] == [1, 2, 3, 4]
    assert place.refused("flights") == []


class Killed(BaseException):
    pass


def state(place):
    rows = sorted((row["id"], row["x"]) for row in place.rows("flights"))
    return rows, sorted((reasons, json.dumps(row)) for _, reasons, row in place.refused("flights"))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(6))
def test_killed_at_any_commit_it_is_exactly_once(place, monkeypatch, step, after):
    source = flights()
    start(place, source)
    place.write("airports/2.csv", "faa\nJFK\n")
    place.take(AIRPORTS)
    tables, left = place.store.tables, step
    change = tables._change

    def dying(*arguments, **named):
        nonlocal left
        left -= 1
        if left == -1 and not after:
            raise Killed
        made = change(*arguments, **named)
        if left == -1:
            raise Killed
        return made

    monkeypatch.setattr(tables, "_change", dying)
    killed = False
    try:
        again(place, source, names(place, "faa"))
    except Killed:
        killed = True
    monkeypatch.setattr(tables, "_change", change)
    assert killed == (step < 3)
    place.write("raw/2.csv", "id,t,x,faa\n9,2013-07-01,5,EWR\n8,2013-07-01,-5,EWR\n")
    if step % 2:
        place.take(source)
        again(place, source, names(place, "faa"))
    else:
        again(place, source, names(place, "faa"))
        place.take(source)
    rows, refused = state(place)
    assert rows == [(1, 5.0), (2, 6.0), (9, 5.0)]
    assert [reasons for reasons, _ in refused] == [
        ["t: found 'x', expected a moment such as 2013-07-01T09:30:00Z"],
        ["unreadable row: found 2 fields, expected 4"],
        ["x: found -5.0, expected at least 0"],
        ["x: found -7.0, expected at least 0"],
    ]
    assert place.store.tables.read("flights")["_seq"].is_unique().all()


def test_another_process_that_comes_first_is_read_on_from(place, monkeypatch):
    source = flights()
    start(place, source)
    place.write("airports/2.csv", "faa\nJFK\n")
    place.take(AIRPORTS)
    append, moved = place.store.tables.append, []

    def overtaken(name, *arguments, **named):
        if name == "flights" and not moved:
            moved.append(True)
            place.write("raw/2.csv", "id,t,x,faa\n9,2013-07-01,5,EWR\n")
            place.take(source)
        return append(name, *arguments, **named)

    monkeypatch.setattr(place.store.tables, "append", overtaken)
    assert again(place, source, names(place, "faa")).admitted == 1
    assert sorted(row["id"] for row in place.rows("flights")) == [1, 2, 9]
    assert len(place.refused("flights")) == 3


def test_what_the_quarantine_must_not_keep_does_not_come_back_as_what_stands_for_it(place):
    veiled = flights(contract=Contract({**COLUMNS, "x": Column("float", low=0, privacy="secret")}))
    start(place, veiled)
    [kept] = [
        row for row in quarantine.standing(place.store.tables, "flights")["_row"] if '"id":3' in row.replace(" ", "")
    ]
    assert "-7" not in kept
    with pytest.raises(RefusedError, match="does not keep their x"):
        again(place, veiled)
    place.write("airports/2.csv", "faa\nJFK\n")
    place.take(AIRPORTS)
    made = again(place, veiled, names(place, "faa: expected"), mend={"x": 8.0})
    assert made.admitted >= 1
    assert 8.0 in place.store.tables.read("flights")["x"].to_list()


def test_rows_from_before_a_column_was_added_come_back_without_it(place):
    source = flights(contract=Contract(COLUMNS, on_new_column="add"))
    start(place, source)
    place.write("raw/2.csv", "id,t,x,faa,gate\n9,2013-07-03,5,EWR,B7\n")
    place.take(source)
    place.write("airports/2.csv", "faa\nJFK\n")
    place.take(AIRPORTS)
    assert again(place, source, names(place, "faa: expected")).admitted == 1
    assert {row["id"]: row["gate"] for row in place.rows("flights")} == {1: None, 2: None, 9: "B7"}
