from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.checks import check
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.standing import Standing

CONTRACT = Contract({"u": Column("int", unique=True), "t": Column("int", increasing=True)})
ROW = st.fixed_dictionaries(
    {
        "key": st.integers(0, 5),
        "u": st.one_of(st.none(), st.integers(0, 6)),
        "t": st.one_of(st.none(), st.integers(0, 9)),
    }
)
SCHEMA = {"key": pl.Int64, "u": pl.Int64, "t": pl.Int64}


def broken_by(rows: list[dict], table: list[dict], *, again: bool) -> list[set[str]]:
    """Both rules in plain Python."""
    found = []
    greatest = max((row["t"] for row in table if row["t"] is not None), default=None) if not again else None
    first: dict[int, int] = {}
    for row in rows:
        rules = set()
        if row["u"] is not None:
            others = {other["key"] for other in table if other["u"] == row["u"]}
            if first.setdefault(row["u"], row["key"]) != row["key"] or others - {row["key"]}:
                rules.add("u: expected a value that no other row has")
        if row["t"] is not None:
            if greatest is not None and row["t"] < greatest:
                rules.add("t: expected no less than the one before")
            greatest = row["t"] if greatest is None else max(greatest, row["t"])
        found.append(rules)
    return found


@given(st.lists(ROW, max_size=10), st.lists(ROW, max_size=10), st.booleans())
def test_they_find_what_plain_python_finds(rows, table, again):
    frame, there = (pl.DataFrame(part, schema=SCHEMA) for part in (rows, table))
    standing = Standing(("key",), there.lazy(), again)
    found: list[set[str]] = [set() for _ in rows]
    for breach in check(frame, CONTRACT, {}, lambda *_: pl.Series([]), standing):
        for place, _ in breach.told():
            found[place].add(breach.rule)
    assert found == broken_by(rows, table, again=again)


def test_a_file_alone_has_no_table_and_no_key():
    frame = pl.DataFrame({"u": [1, 1, 2], "t": [3, 1, 3]})
    told = {reason for breach in check(frame, CONTRACT, {}, lambda *_: pl.Series([])) for _, reason in breach.told()}
    assert told == {
        "u: found 1, expected a value that no other row has",
        "t: found 1, expected no less than the one before",
    }
