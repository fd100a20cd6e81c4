from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from drivetrain.data.profile import TableProfile, profile, profile_of


def test_columns_are_told_by_their_kind():
    frame = pl.DataFrame(
        {
            "n": [1.0, 2.0, None, 3.0],
            "s": ["a", "b", "a", None],
            "t": [datetime(2013, 7, 1, tzinfo=UTC), None, None, datetime(2013, 7, 2, tzinfo=UTC)],
            "d": [date(2013, 7, 1)] * 4,
            "empty": pl.Series([None] * 4, dtype=pl.Int64),
        }
    )
    number, text, time, day, empty = profile_of(frame)
    assert (number.nulls, number.low, number.high, number.mean, number.std) == (1, 1.0, 3.0, 2.0, 1.0)
    assert (text.nulls, text.distinct, text.top) == (1, 2, (("a", 2), ("b", 1)))
    assert (time.low, time.high) == ("2013-07-01T00:00:00Z", "2013-07-02T00:00:00Z")
    assert day.low == "2013-07-01"
    assert (empty.nulls, empty.low) == (4, None)


def test_it_is_made_once_and_kept(place):
    place.store.tables.append("t", pl.DataFrame({"a": [1, 2], "_seq": [1, 2]}))
    made = profile(place.store, "t", 0, at=7)
    assert [column.name for column in made.columns] == ["a"]
    assert made.rows == 2
    assert place.store.catalog.get(TableProfile, "t@0") == made
    assert profile(place.store, "t", 0, at=99) == made
