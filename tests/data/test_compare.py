from __future__ import annotations

import msgspec
import polars as pl

from drivetrain.data.compare import compare
from drivetrain.data.profile import TableProfile, profile_of
from drivetrain.data.veil import Veil


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


def test_of_values_that_are_only_counted_what_is_empty_is_told():
    veil = Veil(frozenset({"mail"}), frozenset({"mail"}))
    whole = pl.DataFrame({"mail": ["a@b.c"] * 1_000})
    before, same, fewer = (
        TableProfile(table="t", version=at, rows=1_000, columns=profile_of(frame, veil))
        for at, frame in enumerate(
            (whole, whole, pl.DataFrame({"mail": ["a@b.c"] * 800 + [None] * 200}, schema={"mail": pl.String}))
        )
    )
    (calm,), (moved,) = compare(before, same), compare(before, fewer)
    assert (calm.moved, calm.words) == (
        False,
        "mail is as often empty as in version 0; of its values only counts are kept.",
    )
    assert moved.moved
    assert "20.0% empty, 0.0% before" in moved.words
    assert msgspec.json.encode([calm, moved]), "figures are plain numbers"
    shown = TableProfile(table="t", version=3, rows=1_000, columns=profile_of(whole))
    assert shown.behind(veil).columns == before.columns
