"""Rows that were deleted at their source leave the table, exactly once."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import SourceError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.data.tombstones import buried

CONTRACT = Contract({"id": Column("int"), "x": Column("int", low=0, nullable=False), "gone": Column("bool")})


def things(**declared):
    settings = {"reader": files("raw/*.csv"), "key": ("id",), "contract": CONTRACT, "deleted": "gone"}
    return Source(name="things", **{**settings, **declared})


def test_a_tombstone_takes_its_row_out_and_needs_no_more_than_a_key(place):
    place.write("raw/1.csv", "id,x,gone\n1,5,\n2,6,false\n3,7,\n")
    first = place.take(things())
    place.write("raw/2.csv", "id,x,gone\n2,,true\n9,,true\n4,8,false\n")
    second = place.take(things())
    assert [row["id"] for row in place.rows("things")] == [1, 3, 4]
    assert (second.rows, second.added, second.quarantined) == (3, 1, 0)
    assert second.reasons == {"deleted where it came from": 1}
    assert second.digest != first.digest
    assert [row["id"] for row in place.store.tables.read("things", first.version).sort("id").to_dicts()] == [1, 2, 3]
    place.write("raw/3.csv", "id,x,gone\n2,,true\n")
    third = place.take(things())
    assert (third.rows, third.digest, third.reasons) == (3, second.digest, {})


def test_in_a_batch_the_last_word_counts(place):
    place.write("raw/1.csv", "id,x,gone\n1,5,\n2,6,\n3,7,\n")
    place.take(things())
    place.write("raw/2.csv", "id,x,gone\n1,,true\n1,50,\n2,60,\n2,,true\n3,,true\n3,7,\n5,1,\n5,,true\n")
    made = place.take(things())
    assert [(row["id"], row["x"]) for row in place.rows("things")] == [(3, 7), (1, 50)]
    assert (made.rows, made.quarantined) == (2, 0)
    assert made.reasons == {
        "took the place of a row with the same key": 1,
        "in the table already, and the same: left out": 1,
        "deleted where it came from": 1,
    }


def test_a_row_that_breaks_the_contract_after_its_tombstone_does_not_bring_the_old_one_back(place):
    place.write("raw/1.csv", "id,x,gone\n1,5,\n2,6,\n")
    place.take(things())
    place.write("raw/2.csv", "id,x,gone\n1,,true\n1,-5,\n")
    made = place.take(things())
    assert [row["id"] for row in place.rows("things")] == [2]
    assert (made.rows, made.quarantined) == (1, 1)


def test_a_tombstone_without_a_key_is_refused_and_a_missing_column_named(place):
    place.write("raw/1.csv", "id,x,gone\n1,5,\n,,true\n")
    made = place.take(things())
    assert (made.rows, made.quarantined) == (1, 1)
    assert things().digest != things(deleted=None).digest
    with pytest.raises(SourceError, match="lacks the column 'dead', which says what was deleted"):
        place.take(things(deleted="dead"))


def test_a_moment_of_deletion_is_a_tombstone_too(place):
    place.write("raw/1.csv", "id,x,at\n1,5,\n2,6,\n")
    source = things(contract=Contract({"id": Column("int"), "x": Column("int"), "at": Column("time")}), deleted="at")
    place.take(source)
    place.write("raw/2.csv", "id,x,at\n2,6,2013-07-01T00:00:00Z\n")
    place.take(source)
    assert [row["id"] for row in place.rows("things")] == [1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.booleans()), max_size=6), max_size=4))
def test_against_a_dictionary(tmp_path_factory, deliveries):
    wanted: dict[int, int] = {}
    held: dict[int, int] = {}
    for rows in deliveries:
        frame = pl.DataFrame(rows, schema={"id": pl.Int64, "x": pl.Int64, "gone": pl.Boolean}, orient="row")
        alive, gone = buried(frame, "gone", ["id"], "here")
        for number in gone["id"]:
            held.pop(number, None)
        held |= dict(alive.select("id", "x").iter_rows())
        for number, x, dead in rows:
            if dead:
                wanted.pop(number, None)
            else:
                wanted[number] = x
        assert gone["id"].is_unique().all()
        assert held == wanted
