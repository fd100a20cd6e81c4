"""Files in pieces give the rows that the same file gives whole."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import ContractBreach, SourceError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.delimited import read_csv
from drivetrain.data.readers.files import files
from drivetrain.data.readers.lines import read_jsonl
from drivetrain.data.readers.pieces import Reading, Spot
from drivetrain.data.source import Source


def pieces_of(path, kind, most):
    weight = 16
    reading = Reading(path.name, kind, (), most * weight)
    found = list(reading.pieces(path, Spot()))
    # From any spot on come the same pieces.
    for at, piece in enumerate(found[:-1]):
        again = list(reading.pieces(path, piece.next))
        assert [one.rows.rows() for one in again] == [one.rows.rows() for one in found[at + 1 :]]
    rows = [row for piece in found for row in piece.rows.rows()]
    return rows, [bad for piece in found for bad in piece.unreadable]


FIELD = st.text(st.sampled_from('ab,\n"é '), max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"')
STRAY = st.sampled_from(["5", "", 'a"b', "x", "ü"])


@settings(max_examples=150)
@given(
    rows=st.lists(st.lists(st.one_of(FIELD, STRAY), min_size=1, max_size=3), min_size=1, max_size=12),
    most=st.integers(8, 60),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_csv(tmp_path_factory, rows, most, ending):
    data = ending.join(["a,b", *(",".join(row) for row in rows)]).encode()
    path = tmp_path_factory.mktemp("pieces") / "a.csv"
    path.write_bytes(data)
    whole, bad = read_csv(data, "a.csv", ",", ())
    try:
        found, found_bad = pieces_of(path, "csv", most)
    except SourceError as error:
        assert "does not end within" in str(error)  # noqa: PT017 - a row that is larger than four pieces
        return
    assert found == whole.rows()
    assert found_bad == bad


@settings(max_examples=40)
@given(values=st.lists(st.integers(0, 99), min_size=1, max_size=30), most=st.integers(12, 60))
def test_json_lines(tmp_path_factory, values, most):
    data = "\n".join("[1]" if value % 7 == 0 else f'{{"a": {value}}}' for value in values).encode()
    path = tmp_path_factory.mktemp("pieces") / "a.jsonl"
    path.write_bytes(data)
    whole, bad = read_jsonl(data)
    found, found_bad = pieces_of(path, "jsonl", most)
    assert [row for row in found if row] == whole.rows()
    assert [(one.line, one.text) for one in found_bad] == [(one.line, one.text) for one in bad]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_columnar_files(tmp_path, kind):
    frame = pl.DataFrame({"a": range(1000), "b": [f"text {at}" for at in range(1000)]})
    path = tmp_path / "a"
    if kind == "parquet":
        frame.write_parquet(path, row_group_size=130)
    else:
        frame.write_ipc(path)
    reading = Reading("a", kind, (), 6 * 2000)
    found = list(reading.pieces(path, Spot()))
    assert len(found) > 5
    assert [row for piece in found for row in piece.rows.rows()] == frame.rows()
    at = found[2].next
    assert [row for piece in reading.pieces(path, at) for row in piece.rows.rows()] == frame.rows()[at.position :]


def test_a_quote_that_is_never_closed_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n3,"4\n' + "5,6\n" * 2000)
    with pytest.raises(SourceError, match=r"row at line 3 that does not end.*quote that is never closed"):
        pieces_of(path, "csv", 50)


def test_a_delivery_in_pieces_is_held_to_its_contract_as_one(place):
    place.write("a.csv", "id,x\n" + "".join(f"{at},{at % 50 - 1}\n" for at in range(300)))
    source = Source(
        name="a",
        reader=files("a.csv", budget_mib=0.008),
        key=("id",),
        contract=Contract({"id": Column("int"), "x": Column("int", low=0)}, min_rows=300),
    )
    made = place.take(source)
    assert (made.rows, made.version > 2) == (294, True)
    assert sorted(line for line, _, _ in place.refused("a") if line) == []
    assert len(place.refused("a")) == 6
    place.write("a.csv", "id,x\n" + "".join(f"{at},7\n" for at in range(290)))
    with pytest.raises(ContractBreach, match="too few rows; found 290; expected 300"):
        place.take(source)
