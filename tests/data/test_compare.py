from __future__ import annotations

import polars as pl

from drivetrain.data.compare import compare
from drivetrain.data.profile import TableProfile, profile_of


def made(version, columns):
    frame = pl.DataFrame(columns)
    return TableProfile(table="t", version=version, rows=frame.height, columns=profile_of(frame))


def test_each_column_is_told_in_a_sentence():
    before = made(
        3, {"same": list(range(1_000)), "x": [float(at % 50) for at in range(1_000)], "kind": ["a", "b"] * 500,
            "gone": [1] * 1_000, "typed": ["1"] * 1_000, "gaps": [1.0] * 1_000}
    )  # fmt: skip
    now = made(
        4, {"same": list(range(1_000)), "x": [float(at % 50) + 30 for at in range(1_000)],
            "kind": ["a"] * 900 + ["c"] * 100, "typed": [1] * 1_000,
            "gaps": [1.0] * 600 + [None] * 400, "new": [1] * 1_000}
    )  # fmt: skip
    told = {one.column: one for one in compare(before, now)}
    assert [one.moved for one in told.values()] == [False, True, True, True, True, True, True]
    assert told["same"].words == "same lies as in version 3, as far as 1,000 rows can tell."
    assert "median 54, 24 before" in told["x"].words
    assert "'b' makes up 0.0%, 50.0% before" in told["kind"].words
    assert told["typed"].words == "typed was String in version 3, and is Int64."
    assert "40.0% empty, 0.0% before" in told["gaps"].words
    assert told["new"].words == "new was not there in version 3."
    assert told["gone"].words == "gone was there in version 3 and is not any more."
