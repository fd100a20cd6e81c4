from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drivetrain as dt
from drivetrain.core.clock import datetime_of
from drivetrain.core.errors import SourceError
from drivetrain.data.casting import cast
from drivetrain.data.checks import check
from drivetrain.data.contract import Contract
from drivetrain.data.drafting.draft import as_python
from drivetrain.data.infer import infer

VALUES = {
    "when": st.one_of(st.none(), st.integers(6 * 10**14, 2 * 10**15).map(datetime_of)),
    "n": st.one_of(st.none(), st.integers(-(10**9), 10**9)),
    "x": st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False)),
    "flag": st.one_of(st.none(), st.booleans()),
    "text": st.one_of(st.none(), st.text(max_size=8)),
    "day": st.one_of(st.none(), st.dates()),
}
SCHEMA = {
    "when": pl.Datetime("us", "UTC"),
    "n": pl.Int64,
    "x": pl.Float64,
    "flag": pl.Boolean,
    "text": pl.String,
    "day": pl.Date,
}


def pasted(draft):
    """The columns of the contract that the draft's Python makes."""
    space = {"dt": dt}
    exec(as_python(draft, "some data"), space)
    return space["SOME_DATA"].columns


def broken(frame, columns):
    rows, breaches = cast(frame, {name: column.dtype for name, column in columns.items()})
    breaches += check(rows, Contract(columns), {}, lambda *_: pl.Series([]))
    return [(breach.rule, breach.count) for breach in breaches]


@given(st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=30), st.booleans())
def test_the_draft_is_python_and_what_it_was_drafted_from_keeps_it(rows, as_text):
    frame = pl.DataFrame(rows, schema=SCHEMA)
    if as_text:
        frame = frame.with_columns(pl.col("n", "x", "flag", "day").cast(pl.String))
    draft = infer(frame)
    columns = pasted(draft)
    assert columns == draft.columns
    bad = [(rule, count) for rule, count in broken(frame, columns) if "finite" not in rule]
    # Few rows far from all others are left out of a range on purpose, and told.
    assert sum(count for _, count in bad) <= sum("far from all others" in note for note in draft.notes.values())


def test_text_is_told_for_what_it_is():
    frame = pl.DataFrame(
        {
            "id": [f"{at:05}" for at in range(100)],
            "n": [str(at) for at in range(100)],
            "x": [f"{at / 3:.3f}" for at in range(100)],
            "yes": ["true", "false"] * 50,
            "at": [f"2013-07-01T00:00:{at % 60:02}Z" for at in range(100)],
            "day": ["2013-07-01"] * 100,
            "kind": ["a", "b", "c", "d"] * 25,
            "plate": [f"N{at}AA" for at in range(100)],
            "gap": ["5", "NA"] * 50,
        }
    )
    draft = infer(frame)
    assert {name: column.type for name, column in draft.columns.items()} == {
        "id": "string", "n": "int", "x": "float", "yes": "bool", "at": "time", "day": "date",
        "kind": "string", "plate": "string", "gap": "int",
    }  # fmt: skip
    assert draft.columns["id"].pattern == "^[0-9]{5}$"
    assert draft.columns["plate"].pattern == "^N[0-9]{1,2}AA$"
    assert draft.columns["kind"].among == ("a", "b", "c", "d")
    assert (draft.columns["n"].low, draft.columns["n"].high) == (0, 109)
    assert "'NA' (50 times; read with nulls=[\"NA\"]) is no int" in draft.notes["gap"]
    assert ("id",) in draft.keys
    assert draft.times == ("at", "day")


def test_what_does_not_fit_is_left_out_and_told():
    frame = pl.DataFrame(
        {
            "temp": [20.0 + at % 7 for at in range(500)] + [-999.0, -999.0],
            "count": ["7"] * 499 + ["seven"] * 3,
            "code": ["AB12"] * 250 + ["XY34"] * 250 + ["?", "??"],
        }
    )
    draft = infer(frame)
    assert draft.columns["temp"].low > 0
    assert "beside 2 far from all others, such as -999" in draft.notes["temp"]
    assert "3 of 502, such as 'seven' is no int" in draft.notes["count"]
    assert {rule for rule, _ in broken(frame, draft.columns)} >= {"count: expected a whole number"}


def test_order_of_arrival_keys_of_two_and_privacy():
    frame = pl.DataFrame(
        {
            "at": pl.Series(range(20)).cast(pl.Datetime("us", "UTC")),
            "a": [at // 5 for at in range(20)],
            "b": [at % 5 for at in range(20)],
            "mail": ["a@b.c", None] * 10,
        }
    )
    draft = infer(
        frame.with_columns(at=pl.col("at").dt.truncate("10us")), lambda name, _: "personal" if name == "mail" else None
    )
    assert draft.columns["at"].increasing
    assert draft.keys == (("a", "b"),)
    assert draft.columns["mail"].privacy == "personal"
    assert draft.columns["mail"].nullable
    assert 'privacy="personal"' in as_python(draft, "x")


def test_there_must_be_rows():
    with pytest.raises(SourceError, match="no rows to draft"):
        infer(pl.DataFrame({"a": []}))


def test_a_flag_has_no_third_value():
    draft = infer(pl.DataFrame({"returned": [0, 1, 0, 1, 1, 0] * 20, "items": [1, 2, 3, 1, 2, 4] * 20}))
    assert (draft.columns["returned"].low, draft.columns["returned"].high) == (0, 1)
    assert draft.columns["items"].high > 4
