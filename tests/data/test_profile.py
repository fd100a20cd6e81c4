from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import ProjectError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.profile import TableProfile, extended, profile, profile_of
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source


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
    assert (number.rows, number.nulls, number.low, number.high, number.mean, number.std) == (4, 1, 1.0, 3.0, 2.0, 1.0)
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


NUMBERS = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("inf"))), max_size=40)


@given(NUMBERS, NUMBERS)
def test_the_profile_of_parts_is_that_of_the_whole(left, right):
    parts = [profile_of(pl.DataFrame({"x": values}, schema={"x": pl.Float64})) for values in (left, right)]
    merged = extended(*parts)[0]
    whole = profile_of(pl.DataFrame({"x": left + right}, schema={"x": pl.Float64}))[0]
    for name in ("rows", "nulls", "low", "high", "quartiles", "distinct"):
        assert getattr(merged, name) == getattr(whole, name), name
    assert merged.mean == (None if whole.mean is None else pytest.approx(whole.mean, abs=1e-6))
    assert merged.std == (None if whole.std is None else pytest.approx(whole.std, rel=1e-6, abs=1e-6))


def test_columns_that_are_not_the_same_are_not_merged():
    one = profile_of(pl.DataFrame({"x": [1]}))
    assert extended(one, profile_of(pl.DataFrame({"x": [1.5]}))) is None
    assert extended(one, profile_of(pl.DataFrame({"y": [1]}))) is None


def figures(made):
    return {
        column.name: (column.rows, column.nulls, column.low, column.high, column.mean, column.distinct, column.top)
        for column in made.columns
    }


def test_every_version_has_its_profile_when_it_comes_in(place):
    source = Source(name="t", reader=files("raw/*.csv"), key=("id",), contract=Contract({"x": Column("int")}))
    place.write("raw/1.csv", "id,x\na,1\nb,2\n")
    first = place.take(source)
    place.write("raw/2.csv", "id,x\nc,3\n")
    second = place.take(source)
    place.write("raw/3.csv", "id,x\na,9\nd,\n")
    third = place.take(source)
    place.store.tables.compact("t")
    place.write("raw/4.csv", "id,x\ne,7\n")
    fourth = place.take(source)
    for made, low, high, nulls in ((first, 1, 2, 0), (second, 1, 3, 0), (third, 2, 9, 1), (fourth, 2, 9, 1)):
        kept = place.store.catalog.get(TableProfile, made.key)
        assert kept is not None, made
        assert kept.digest == made.digest
        x = kept.columns[1]
        assert (kept.rows, x.rows, x.low, x.high, x.nulls) == (made.rows, made.rows, low, high, nulls)
        frame = place.store.tables.read("t", made.version).select("id", "x")
        assert figures(kept) == figures(TableProfile(table="t", version=0, rows=0, columns=profile_of(frame)))


def test_a_profile_lost_with_its_process_is_made_again(place):
    source = Source(name="t", reader=files("raw/*.csv"), key=("id",))
    place.write("raw/1.csv", "id\na\n")
    place.take(source)
    place.store.catalog._records.clear()
    made = place.take(source)
    assert place.store.catalog.get(TableProfile, made.key).columns[0].distinct == 1


def test_of_personal_columns_nothing_but_counts_is_kept(place):
    def people(privacy):
        columns = {
            "id": Column("int"),
            "mail": Column("string", privacy=privacy),
            "born": Column("int", privacy=privacy),
        }
        return Source(name="t", reader=files("raw/*.csv"), key=("id",), contract=Contract(columns))

    place.write("raw/1.csv", "id,mail,born\n1,a@b.c,1970\n2,d@e.f,\n")
    place.take(people("public"))
    place.write("raw/2.csv", "id,mail,born\n3,g@h.i,1971\n")
    made = place.take(people("personal"))
    kept = place.store.catalog.get(TableProfile, made.key)
    mail, born = kept.columns[1:]
    assert (mail.rows, mail.nulls, mail.distinct, born.nulls, born.distinct) == (3, 0, 3, 1, 2)
    assert not mail.shown
    assert not born.shown
    assert b"@b.c" not in msgspec.msgpack.encode(kept)
    with pytest.raises(ProjectError, match="the drift of 'born' can't be judged; found a personal column"):
        Contract({"born": Column("int", privacy="personal")}, drift={"born": 0.1})
