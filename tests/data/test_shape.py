from __future__ import annotations

import polars as pl
import pytest

from drivetrain.core.errors import ContractBreach, SourceError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.ledger import last_entry
from drivetrain.data.readers.files import files
from drivetrain.data.shape import ShapeChange, shape_change
from drivetrain.data.source import Source

COLUMNS = {"id": Column("int"), "dep_delay": Column("int")}


def source(prepare=None, **rules):
    return Source(
        name="t", reader=files("raw/*.jsonl"), key=("id",), contract=Contract(COLUMNS, **rules), prepare=prepare
    )


def start(place, declared):
    place.write("raw/1.jsonl", '{"id": 1, "dep_delay": 5, "note": "a"}\n')
    return place.take(declared)


def test_a_change_is_a_diff():
    before = {"id": "Int64", "dep_delay": "Int64", "x": "Float64", "tail": "String"}
    now = {"id": "String", "departure_delay": "Int64", "x": "Int64", "more": "Boolean"}
    change = shape_change(before, now)
    assert change.lines() == [
        "- dep_delay Int64 (renamed 'departure_delay'?)",
        "- tail String",
        "+ departure_delay Int64",
        "+ more Boolean",
        "~ id Int64 → String",
    ]
    assert not shape_change({}, now)
    assert not shape_change(now, now)
    assert ShapeChange().lines() == []


def test_a_new_column_is_left_out_added_or_refused_as_the_contract_says(place):
    start(place, source())
    place.write("raw/2.jsonl", '{"id": 2, "dep_delay": 6, "note": "b", "gate": "B7"}\n')
    with pytest.raises(ContractBreach, match=r"raw/2\.jsonl has other columns than before; found \+ gate String"):
        place.take(source(on_new_column="fail"))
    assert place.take(source()).reasons == {"column 'gate' is new and not declared: left out": 1}


def test_a_column_is_added_with_nulls_in_older_rows(place):
    start(place, source(on_new_column="add"))
    place.write("raw/2.jsonl", '{"id": 2, "dep_delay": 6, "note": "b", "gate": "B7"}\n')
    made = place.take(source(on_new_column="add"))
    assert made.reasons == {"column 'gate' is new and not declared: added": 1}
    assert [column.name for column in made.columns][-1] == "gate"
    place.write("raw/3.jsonl", '{"id": 1, "dep_delay": 9, "note": "b", "gate": "C1", "desk": 4}\n')
    made = place.take(source(on_new_column="add"))
    assert [(row["id"], row["gate"], row["desk"]) for row in place.rows("t")] == [(2, "B7", None), (1, "C1", 4)]
    assert {column.name: column.dtype for column in made.columns}["desk"] == "Int64"


def test_a_lost_column_is_refused_or_left_empty(place):
    start(place, source())
    place.write("raw/2.jsonl", '{"id": 2, "departure_delay": 6, "note": "b"}\n')
    with pytest.raises(SourceError, match="'departure_delay' may be 'dep_delay' renamed"):
        place.take(source())
    lenient = source(on_lost_column="null")
    for number in (2, 3):
        place.write(f"raw/{number}.jsonl", f'{{"id": {number}, "note": "b"}}\n')
        made = place.take(lenient)
        assert made.reasons == {"column 'dep_delay' does not come any more: left empty": 1}
    assert [row["dep_delay"] for row in place.rows("t")] == [5, None, None]
    place.write("raw/4.jsonl", '{"dep_delay": 3, "note": "b"}\n')
    with pytest.raises(SourceError, match="lacks the column 'id'"):
        place.take(lenient)


def test_a_lost_column_is_there_for_prepare(place):
    def doubled(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(twice=pl.col("dep_delay") * 2, told=pl.col("note").is_null())

    declared = source(doubled, on_lost_column="null")
    start(place, declared)
    place.write("raw/2.jsonl", '{"id": 2}\n')
    place.take(declared)
    assert [(row["twice"], row["told"]) for row in place.rows("t")] == [(10, False), (None, True)]


def test_a_renamed_column_is_taken_under_its_old_name(place):
    start(place, source())
    place.write("raw/2.jsonl", '{"id": 2, "departure_delay": 6, "note": "b"}\n')
    made = place.take(source(renamed={"departure_delay": "dep_delay"}))
    assert [row["dep_delay"] for row in place.rows("t")] == [5, 6]
    assert made.reasons == {}
    assert set(last_entry(place.store.tables, "t")[0].shape) == {"id", "dep_delay", "note"}


def test_a_retyped_column_is_cast_and_counted_or_refused(place):
    start(place, source())
    place.write("raw/2.jsonl", '{"id": 2, "dep_delay": "6", "note": "b"}\n')
    with pytest.raises(ContractBreach, match="~ dep_delay Int64 → String"):
        place.take(source(on_retyped_column="fail"))
    assert place.take(source()).reasons == {"column 'dep_delay' came as String, and was Int64 before": 1}
    assert [row["dep_delay"] for row in place.rows("t")] == [5, 6]


def test_a_delivery_without_rows_says_nothing_of_its_columns(place):
    start(place, source(on_new_column="fail"))
    place.write("raw/2.jsonl", "")
    place.take(source(on_new_column="fail"))
    place.write("raw/3.jsonl", '{"id": 3, "dep_delay": 6, "note": "b"}\n')
    assert place.take(source(on_new_column="fail")).rows == 2
