from __future__ import annotations

import math
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import SourceError
from drivetrain.data.checks import check, require_columns
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract

CODES = pl.Series(["AA", "UA"])
CONTRACT = Contract(
    {
        "n": Column("int", low=0, high=10, nullable=False),
        "x": Column("float", low=-1.5),
        "s": Column("string", pattern="^[a-c]+$"),
        "one": Column("string", among=("p", "q")),
        "code": Column("string", references=("airlines", "carrier")),
    },
    checks={"n below x": pl.col("n") < pl.col("x")},
)


def broken_by(row: dict) -> set[str]:
    """The contract in plain Python."""
    rules = set()
    n, x, s, one, code = (row[name] for name in ("n", "x", "s", "one", "code"))
    if n is None:
        rules.add("n: expected a value")
    else:
        rules |= {"n: expected at least 0"} if n < 0 else set()
        rules |= {"n: expected at most 10"} if n > 10 else set()
    if x is not None:
        rules |= {"x: expected a finite number"} if math.isinf(x) else set()
        rules |= {"x: expected at least -1.5"} if x < -1.5 else set()
    if s is not None and not re.search("^[a-c]+$", s):
        rules.add("s: expected text like ^[a-c]+$")
    if one is not None and one not in ("p", "q"):
        rules.add("one: expected one of 'p', 'q'")
    if code is not None and code not in ("AA", "UA"):
        rules.add("code: expected a carrier of table airlines")
    if n is not None and x is not None and not n < x:
        rules.add("n below x")
    return rules


ROWS = st.fixed_dictionaries(
    {
        "n": st.one_of(st.none(), st.integers(-2, 13)),
        "x": st.one_of(st.none(), st.floats(allow_nan=False)),
        "s": st.one_of(st.none(), st.text("abcd", max_size=3)),
        "one": st.sampled_from([None, "p", "q", "r"]),
        "code": st.sampled_from([None, "AA", "UA", "XX"]),
    }
)
SCHEMA = {"n": pl.Int64, "x": pl.Float64, "s": pl.String, "one": pl.String, "code": pl.String}


@given(st.lists(ROWS, max_size=12))
def test_it_finds_what_plain_python_finds(rows):
    breaches = check(pl.DataFrame(rows, schema=SCHEMA), CONTRACT, {}, lambda *_: CODES)
    found: list[set[str]] = [set() for _ in rows]
    for breach in breaches:
        for place, reason in breach.told():
            found[place].add(breach.rule)
            assert reason.startswith(breach.subject)
    assert found == [broken_by(row) for row in rows]


def test_a_reason_says_what_was_found_and_expected():
    frame = pl.DataFrame([{"n": 99, "x": 1.0, "s": "zz", "one": "p", "code": "AA"}], schema=SCHEMA)
    told = {reason for breach in check(frame, CONTRACT, {}, lambda *_: CODES) for _, reason in breach.told()}
    assert told == {
        "n: found 99, expected at most 10",
        "s: found 'zz', expected text like ^[a-c]+$",
        "n below x: found n=99, x=1.0",
    }


def test_bounds_of_times_are_iso_text():
    contract = Contract(
        {"t": Column("time", low="2013-01-01", high="2013-12-31T23:59:59Z"), "d": Column("date", low="2013-02-01")}
    )
    frame = pl.DataFrame({"t": ["2012-12-31", "2013-06-01"], "d": ["2013-01-31", "2013-02-01"]}).select(
        pl.col("t").str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC"), pl.col("d").str.to_date()
    )
    breaches = check(frame, contract, {}, lambda *_: CODES)
    assert [(breach.subject, breach.rows.to_list()) for breach in breaches] == [
        ("t", [True, False]),
        ("d", [True, False]),
    ]


def test_a_missing_column_is_named_with_what_it_may_be_called_now():
    frame = pl.DataFrame({"departure_delay": [1], "carrier": ["UA"]})
    with pytest.raises(SourceError) as caught:
        require_columns(frame, {"dep_delay": None, "carrier": None}, "2013-07.parquet")
    assert "2013-07.parquet lacks the column 'dep_delay'" in str(caught.value)
    assert "'departure_delay' may be 'dep_delay' renamed" in str(caught.value)
