from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data import casting
from drivetrain.data.casting import cast, storable
from drivetrain.data.column import DTYPES

MOMENT = datetime(2013, 7, 1, 9, 30, tzinfo=UTC)
NOON = datetime(2013, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))


def one(values, wanted, dtype=None):
    column = pl.Series("a", values, dtype=dtype, strict=dtype is not None)
    frame, breaches = cast(column.to_frame(), {"a": DTYPES[wanted]})
    assert frame.schema["a"] == DTYPES[wanted]
    failed = [place for breach in breaches for place, _ in breach.told()]
    return frame["a"].to_list(), failed


@pytest.mark.parametrize(
    ("values", "wanted", "expected", "failed"),
    [
        (["1", " 2 ", "x", "", None, "1.5"], "int", [1, 2, None, None, None, None], [2, 5]),
        ([1.0, 2.5, math.nan, None], "int", [1, None, None, None], [1]),
        ([True, False], "int", [1, 0], []),
        (["1", "1e3", "x", "nan"], "float", [1.0, 1000.0, None, None], [2]),
        ([1, None], "float", [1.0, None], []),
        ([1.0, math.nan], "float", [1.0, None], []),
        (["true", "No", "1", "maybe"], "bool", [True, False, True, None], [3]),
        ([0, 1, 2], "bool", [False, True, None], [2]),
        ([1, 2], "string", ["1", "2"], []),
        (["2013-07-01T09:30:00Z", "2013-07-01 09:30", "2013-07-01", "9:30"], "time", [MOMENT, MOMENT, None, None], [3]),
        (["2013-07-01T12:00:00+02:00"], "time", [datetime(2013, 7, 1, 10, tzinfo=UTC)], []),
        ([NOON], "time", [datetime(2013, 7, 1, 10, tzinfo=UTC)], []),
        ([MOMENT.replace(tzinfo=None)], "time", [MOMENT], []),
        ([date(2013, 7, 1)], "time", [datetime(2013, 7, 1, tzinfo=UTC)], []),
        ([5], "time", [None], [0]),
        (["2013-07-01", "1.7.2013"], "date", [date(2013, 7, 1), None], [1]),
        (
            [MOMENT.replace(hour=0, minute=0, tzinfo=None), MOMENT.replace(tzinfo=None)],
            "date",
            [date(2013, 7, 1), None],
            [1],
        ),
    ],
)
def test_values_convert_where_nothing_is_lost(values, wanted, expected, failed):
    if wanted == "time" and len(values) == 4:
        expected = [MOMENT, MOMENT, datetime(2013, 7, 1, tzinfo=UTC), None]
    assert one(values, wanted) == (expected, failed)


def test_finer_times_are_cut_to_microseconds():
    column = pl.Series("a", [1_000_000_123], dtype=pl.Datetime("ns", "Asia/Tokyo"))
    frame, breaches = cast(column.to_frame(), {"a": DTYPES["time"]})
    assert not breaches
    assert frame["a"].to_physical().to_list() == [1_000_000]


def test_columns_nobody_declared_get_the_nearest_type_a_table_holds():
    frame = pl.DataFrame(
        {"u": pl.Series([1], dtype=pl.UInt16), "f": pl.Series([1.5], dtype=pl.Float32), "n": [None], "c": ["x"]},
        schema_overrides={"c": pl.Categorical},
    )
    made, _ = cast(frame, {})
    assert made.schema == {"u": pl.Int64, "f": pl.Float64, "n": pl.String, "c": pl.String}
    assert storable(pl.Datetime("ns")) == pl.Datetime("us", "UTC")


def reads_as_int(text: str) -> int | None:
    try:
        value = int(text)
    except ValueError:
        return None
    return value if -(2**63) <= value < 2**63 else None


@given(st.lists(st.one_of(st.none(), st.integers().map(str), st.text("0123456789.-+eE xN", max_size=6)), min_size=1))
def test_text_to_whole_numbers_agrees_with_python(values):
    found, failed = one(values, "int", pl.String)
    for place, value in enumerate(values):
        if value is None or not value.strip():
            assert found[place] is None
            assert place not in failed
        else:
            assert found[place] == reads_as_int(value.strip()), value
            assert (place in failed) == (found[place] is None)


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1))
def test_numbers_to_whole_numbers_lose_nothing(values):
    found, failed = one(values, "int", pl.Float64)
    for place, value in enumerate(values):
        missing = value is None or math.isnan(value)
        whole = not missing and math.isfinite(value) and value == int(value) and -(2**63) <= value < 2**63
        assert found[place] == (int(value) if whole else None)
        assert (place in failed) == (not missing and not whole)


TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["1", " 2 ", "3.5", "nan", "NaN", "inf", "-inf", "", " ", "x", "1e3", "1_000", "+7", "007", "true", "No"]
    ),
    st.sampled_from(
        ["2013-07-01", "2013-07-01T09:30:00Z", "2013-07-01T09:30:00", "2013-07-01 09:30:00", "2013-07-01T09:30",
         "2013-07-01T09:30Z", "2013-07-01T09:30:00+02:00", "2013-07-01T09:30:00.25+0200", " 2013-07-01", "2013-7-1",
         "2013-07-01T09:30:60Z", "2013-02-30", "2013-07-01T09:30:00.123456789Z"]
    ),
)  # fmt: skip


@given(st.lists(TEXTS, max_size=8), st.sampled_from(["int", "float", "bool", "time", "date"]))
def test_reading_the_plainest_spelling_first_changes_nothing(texts, kind):
    column = pl.Series("c", texts, dtype=pl.String)
    made, failed = casting._from_texts(column, DTYPES[kind])
    patient, wrong = casting._from_values(column, DTYPES[kind])
    assert made.to_list() == patient.to_list()
    nowhere = [False] * len(texts)
    assert (nowhere if failed is None else failed.to_list()) == (nowhere if wrong is None else wrong.to_list())


@pytest.mark.parametrize("text", ["13-07-01T09:30:00Z", "13-07-01", " 13-07-01 09:30:00"])
@pytest.mark.parametrize("first", ["2013-07-01T09:30:00Z", "13-07-01T09:30:00Z", "13-07-01"])
def test_a_year_of_two_digits_is_no_year(text, first):
    [_, second], [breach] = read([first, text], pl.Datetime("us", "UTC"))
    assert second is None
    assert breach.rows[1]


def test_a_year_long_ago_is_one():
    [made], breaches = read(["0962-02-02T00:00:00Z"], pl.Datetime("us", "UTC"))
    assert made.year == 962
    assert not breaches


def read(texts, kind):
    made, breaches = cast(pl.DataFrame({"t": texts}), {"t": kind})
    return made["t"].to_list(), breaches
