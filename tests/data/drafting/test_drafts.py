"""Drafts of deliveries: what they say is kept by what they were drafted from, and by more of the same."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.drafting.deliveries import deliveries

import drivetrain as dt
from drivetrain.core.clock import DAY, micros_of
from drivetrain.data.checks import check
from drivetrain.data.drafting.draft import as_python
from drivetrain.data.infer import infer
from drivetrain.data.judge import History, judge
from drivetrain.data.profile import TableProfile, profile_of


def drafted(parts, **more):
    return infer(pl.concat(parts), deliveries=[part.height for part in parts], **more)


def broken(contract, part, before):
    """Rules that a delivery breaks, as a whole or in some row."""
    columns = profile_of(pl.concat(before))
    reference = TableProfile(at=0, table="t", version=0, rows=sum(one.height for one in before), columns=columns)
    past = History([one.height for one in before], lambda: reference)
    whole = judge(part, contract, past, delivered=part.height, columns=lambda: profile_of(part))
    return [str(one) for one in whole], [
        (one.rule, one.count) for one in check(part, contract, {}, lambda *_: pl.Series([]))
    ]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_a_draft_is_kept_by_its_deliveries_and_is_python(seed):
    parts = deliveries(seed)
    draft = drafted(parts)
    space = {"dt": dt, "pl": pl}
    exec(as_python(draft, "days"), space)
    pasted, contract = space["DAYS"], draft.contract
    assert pasted.digest == contract.digest
    told = ("columns", "balance", "volume", "drift", "freshness", "min_rows")
    assert [getattr(pasted, word) for word in told] == [getattr(contract, word) for word in told]
    for at in range(4, len(parts)):
        assert broken(contract, parts[at], parts[:at]) == ([], [])


def test_what_comes_later_and_is_alike_is_kept():
    """Eight days are drafted from, eighty more keep the draft: one in a thousand rows may lie farther out."""
    days = deliveries(7, count=88)
    contract = drafted(days[:8]).contract
    alarms = rows = 0
    for part in days[8:]:
        whole, row = broken(contract, part, days[:8])
        assert not whole, whole
        alarms += sum(count for _, count in row)
        rows += part.height
    assert alarms <= 0.001 * rows


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda part: part.with_columns(pl.col("postage").shuffle(seed=1)), "weight and postage rise together"),
        (lambda part: part.with_columns(pl.col("postage") * 1.6), "times weight, in the median"),
        (lambda part: part.with_columns(weight=pl.col("weight").floor()), "weight: .* of the values have a fraction"),
        (lambda part: part.with_columns(net=pl.lit(7)), "net: .* different values or more"),
        (lambda part: part.filter(~pl.col("at").dt.hour().is_between(6, 16)), "hours without a row"),
        (lambda part: part.head(90), "from the first row to the last"),
        (lambda part: part.head(50), "rows of the batch"),
        (lambda part: part.with_columns(back=pl.lit(None, dtype=pl.Int64)), "back: rows with a value"),
        (lambda part: part.with_columns(kind=pl.lit("c")), "kind = 'a': share of rows"),
    ],
)
def test_what_is_not_alike_is_told(spoil, says):
    days = deliveries(3, count=9)
    contract = drafted(days[:8]).contract
    assert not broken(contract, days[8], days[:8])[0]
    whole, _ = broken(contract, spoil(days[8]), days[:8])
    assert any(re.search(says, one) for one in whole), whole


def test_few_deliveries_or_unlike_ones_say_nothing_of_the_next():
    days = deliveries(3, count=8)
    for parts in (days[:3], [pl.concat(days[:7]), *(day.head(40) for day in days)]):
        draft = drafted(parts)
        assert (draft.tables, draft.volume, draft.drift, draft.balance, draft.min_rows) == ((), None, {}, {}, 0)


def test_numbers_that_rise_with_every_delivery_have_no_upper_end():
    column = drafted(deliveries(3)).columns["id"]
    assert (column.low, column.high) == (0, None)


def test_freshness_is_told_while_deliveries_come():
    days = deliveries(3)
    last = micros_of(days[-1]["at"].max())
    assert drafted(days, now=last + DAY).freshness == "3d"
    assert drafted(days, now=last + 30 * DAY).freshness is None
    assert drafted(days).freshness is None


def test_values_that_are_personal_are_not_written_into_rules():
    days = [day.with_columns(town=pl.col("net").cast(pl.String)) for day in deliveries(3)]
    draft = drafted(days, classify=lambda name, _: "personal" if name in ("town", "weight", "kind") else None)
    told = as_python(draft, "days")
    rules = told[told.index("checks=") :]
    assert '"kind"' not in rules
    assert draft.columns["weight"].privacy == "personal"
    assert not {"town", "weight", "kind"} & set(draft.drift)
    assert "town" in told


def test_the_key_with_the_fewest_values_comes_first():
    frame = pl.DataFrame({"a": [at // 6 for at in range(36)], "b": [at % 6 for at in range(36)], "c": range(100, 136)})
    frame = frame.with_columns(c=pl.col("c") // 2)
    assert infer(frame).keys[0] == ("a", "b")


def test_drift_is_drafted_of_what_neither_rises_nor_says_the_time():
    draft = drafted(deliveries(3))
    assert set(draft.drift) >= {"net", "tax", "weight", "kind"}
    assert all(0.1 <= limit <= 0.8 for limit in draft.drift.values())
    assert not set(draft.drift) & {"at", "id", "year", "hour"}
