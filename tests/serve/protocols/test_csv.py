from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import RequestError
from drivetrain.serve.protocols.csv import csv_call, csv_text
from drivetrain.serve.protocols.instances import Taken
from serve.protocols.asking import KIND, KINDS, SETTINGS

HEADER = ",".join(KIND)
LINE = "naïve,7,0.5,true,2013-07-01T09:30:00Z,2013-07-01"


def call(text):
    return csv_call(text if isinstance(text, bytes) else text.encode(), KINDS, SETTINGS, Taken("mine", 0))


def test_cells_are_read_as_the_fields_types():
    made = call(f"{HEADER}\r\n{LINE}\r\n{LINE}")
    assert made.rows == [KINDS.convert(KIND, "")] * 2
    assert [json.loads(bytes(raw)) for raw in made.raws] == [KIND, KIND]


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("count", "-7", -7),
        ("count", "5.0", 5),
        ("count", "+3", 3),
        ("score", "1e3", 1000.0),
        ("score", ".5", 0.5),
        ("score", "5.", 5.0),
        ("score", "", None),
        ("day", "", None),
        ("flag", "False", False),
        ("flag", "1", True),
        ("text", "null", "null"),
        ("text", '"a, ""b""\nc"', 'a, "b"\nc'),
    ],
)
def test_a_cell(name, cell, value):
    cells = dict(zip(KIND, LINE.split(","), strict=True)) | {name: cell}
    (raw,) = call(f"{','.join(cells)}\n{','.join(cells.values())}\n").raws
    assert json.loads(bytes(raw))[name] == value


@pytest.mark.parametrize(
    ("name", "cell", "words"),
    [
        ("count", "", "rows[0].count is of the wrong type; found null; expected a 64-bit integer"),
        ("count", "1.5", 'found "1.5"'),
        ("count", "1_000", 'found "1_000"'),
        ("count", "٣", 'found "٣"'),
        ("count", "9" * 30, "expected a 64-bit integer"),
        ("count", "9" * 5000, "expected a 64-bit integer"),
        ("score", "nan", 'found "nan"; expected a number or null'),
        ("score", "inf", 'found "inf"'),
        ("score", "1e999", 'found "1e999"'),
        ("score", "far", 'found "far"'),
        ("flag", "yes", "expected true or false"),
        ("text", "", "rows[0].text is of the wrong type; found null"),
        ("moment", "yesterday", "expected a time such as"),
    ],
)
def test_cells_that_do_not_fit_are_named(name, cell, words):
    cells = dict(zip(KIND, LINE.split(","), strict=True)) | {name: cell}
    with pytest.raises(RequestError) as raised:
        call(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header line"),
        ("\n\n", "no header line"),
        (HEADER, "rows is empty"),
        (LINE, 'header[0] is no field of the endpoint; found "naïve"'),
        (f",{HEADER}\n0,{LINE}", 'header[0] is no field of the endpoint; found ""'),
        (f"{HEADER},text\n{LINE},a", "header[6] comes twice"),
        ("text\na", "the column count is missing; expected a 64-bit integer"),
        (f"{HEADER}\n{LINE},more", "rows[0] has another number of cells than the header; found 7; expected 6"),
        (f"{HEADER}\n{LINE}\na", "rows[1] has another number of cells than the header; found 1"),
        (f'{HEADER}\n"a', "not CSV that can be read"),
        (f'{HEADER}\n"{"x" * 200_000}"', "not CSV that can be read"),
        (HEADER.encode() + b"\n\xff", "not CSV that can be read"),
        (HEADER + f"\n{LINE}" * 1001, "too many rows"),
    ],
)
def test_tables_that_do_not_fit_are_named(text, words):
    with pytest.raises(RequestError) as raised:
        call(text)
    assert words in str(raised.value)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
tables = st.fixed_dictionaries(
    {
        "text": texts,
        "count": st.integers(-(2**63), 2**63 - 1),
        "score": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.booleans(),
        "moment": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        "day": st.none() | st.dates().map(str),
    }
)


@settings(deadline=None)
@given(st.lists(tables, min_size=1, max_size=5))
def test_what_the_standard_library_writes_is_read(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, KIND)
    writer.writeheader()
    writer.writerows(rows)
    assert [json.loads(bytes(raw)) for raw in call(text.getvalue()).raws] == rows


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_predictions_are_written_whole(predictions):
    header, *lines = csv_text(predictions, "predict").decode().splitlines()
    assert header == "predict"
    assert [float(line) for line in lines] == predictions


def test_a_column_for_each_class():
    assert csv_text([[0.25, 0.75], [1.0, 0.0]], "predict") == b"predict_0,predict_1\n0.25,0.75\n1.0,0.0\n"
