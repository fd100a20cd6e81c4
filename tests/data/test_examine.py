from __future__ import annotations

import polars as pl

from drivetrain.core.clock import DAY
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.examine import examine
from drivetrain.data.judge import History
from drivetrain.data.readers.files import files
from drivetrain.data.screen import Before, Lookups
from drivetrain.data.source import Source

NOW = 1_372_636_800_000_000


def held(place, before=None, history=None, **rules):
    contract = Contract({"id": Column("int"), "t": Column("time"), "x": Column("float", low=0)}, **rules)
    source = Source(name="t", reader=files("raw/*.csv"), key=("id",), time="t", contract=contract)
    lookups = Lookups(lambda _: pl.DataFrame(), lambda *_: pl.Series([]), keys=None)
    batches = source.reader.read(place.folder, "")
    return examine(batches, source, lookups, before or Before(), history or History(), now=NOW)


def test_every_rule_is_told_and_nothing_is_kept(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-07-01,5\n2,2013-07-01,-6\n3,2013-07-01,-7\n4\n")
    place.write("raw/2.csv", "id,t,x\n5,2013-07-01,5\n")
    place.write("raw/3.csv", "id,x\n5,5\n")
    first, second, third = held(place, on_breach="fail", tables={"two rows": pl.len() > 1}, min_rows=1)
    assert (first.rows, first.bad, first.kept) == (4, 3, False)
    assert first.reasons == {"x: expected at least 0": 2, "unreadable row": 1}
    assert first.examples[0] == "unreadable row: found 1 fields, expected 3"
    assert first.failing == ("two rows: found false, expected true",)
    assert second.failing == ("two rows: found false, expected true",)
    assert "lacks the column 't'" in third.failing[0]
    assert place.store.tables.names() == []


def test_the_table_before_counts(place):
    place.write("raw/1.csv", "id,t,x,more\n1,2013-07-01,5,a\n")
    before = Before(shape={"id": "String", "t": "String", "x": "String"})
    (kept,) = held(place, before)
    assert (kept.kept, kept.shape) == (True, ("+ more String",))
    (broken,) = held(place, before, History([9, 9, 9]), volume=(0.5, 2), on_new_column="fail")
    assert "other columns than before" in broken.failing[0]
    (few,) = held(place, before, History([9, 9, 9]), volume=(0.5, 2))
    assert few.failing == ("rows of the batch: found 1, expected 4 to 18, as the median of the last 3 is 9",)


def test_freshness_and_fewest_rows_are_of_all_that_came(place):
    place.write("raw/1.csv", "id,t,x\n1,2013-06-01,5\n")
    place.write("raw/2.csv", "id,t,x\n2,2013-06-30,5\n")
    assert [one.kept for one in held(place, freshness="2d")] == [True, True]
    assert [one.kept for one in held(place, freshness="12h")] == [True, False]
    assert [one.kept for one in held(place, min_rows=2)] == [False, False]
    assert DAY


def test_examples_quote_no_value_that_may_not_be_shown(place):
    place.write("raw/1.csv", "id,email\n1,ada@secret.org\n")
    columns = {"id": Column("int", high=0), "email": Column("string", pattern="@x", privacy="personal")}
    source = Source(name="t", reader=files("raw/*.csv"), key=("id",), contract=Contract(columns))
    lookups = Lookups(lambda _: pl.DataFrame(), lambda *_: pl.Series([]), keys=None)
    [told] = examine(source.reader.read(place.folder, ""), source, lookups, Before(), History(), now=NOW)
    assert "id: found 1, expected at most 0" in told.examples[0]
    assert "email: found a masked value" in told.examples[0]
    assert "ada" not in repr(told)
