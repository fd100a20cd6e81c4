from __future__ import annotations

from itertools import permutations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tests.data.drafting.deliveries import deliveries

from drivetrain.data.drafting.relations import LEAST_ROWS, parts, relations


def said(frame):
    return {rule.says for rule in relations(frame)}


def test_what_was_planted_is_found():
    found = said(pl.concat(deliveries(1)))
    assert {"gross is net + tax", "weight is at most gross_weight", "back, reason are empty together"} <= found


@given(st.integers(0, 10**6), st.integers(0, 3))
def test_every_relation_holds_in_every_row_and_every_order_and_sum_is_found(seed, spread):
    """The oracle looks at rows one by one."""
    draw = np.random.default_rng(seed)
    base = draw.integers(0, 50, (3, LEAST_ROWS))
    frame = pl.DataFrame(
        {
            "a": base[0],
            "b": base[0] + base[1] * spread,
            "c": base[2],
            "d": base[0] * 60 + base[2],
        }
    )
    rules = list(relations(frame))
    for rule in rules:
        assert frame.select(rule.expression.fill_null(value=True).alias("kept")).to_series().all(), rule.says
    rows = frame.to_dicts()
    ends = {name: np.quantile(frame[name], (0.05, 0.95)) for name in frame.columns}
    for one, other in permutations(frame.columns, 2):
        holds = all(row[one] <= row[other] for row in rows) and ends[one][1] > ends[other][0]
        assert (f"{one} is at most {other}" in {rule.says for rule in rules}) == holds
    assert "d is a × 60 + c" in {rule.says for rule in rules}


def test_few_rows_say_nothing():
    assert not said(pl.concat(deliveries(1, count=2)))


def test_parts_of_a_moment_are_of_a_zone_once_its_clocks_were_set_forward():
    frame = pl.concat(deliveries(2))  # 10 March 2024 is among these days
    [own, rule] = parts(frame)
    assert own == ("year", "month", "day", "hour")
    assert rule.says.endswith("those of at in America/New_York")
    assert kept(frame, rule) == frame.height
    late = frame.with_columns(at=pl.col("at") + pl.duration(hours=1))
    assert kept(late, rule) == 0


def test_parts_of_a_moment_may_be_an_hour_off_until_then():
    frame = pl.concat(deliveries(2, count=4))
    [_, rule] = parts(frame)
    assert rule.says.endswith("-6 or -5 or -4 hours from UTC")
    assert kept(frame, rule) == frame.height
    assert kept(frame.with_columns(at=pl.col("at") + pl.duration(hours=1)), rule) == frame.height
    assert kept(frame.with_columns(at=pl.col("at") + pl.duration(hours=2)), rule) == 0
    assert kept(frame.with_columns(month=pl.lit(13)), rule) == 0


def test_columns_of_those_names_that_say_something_else_are_no_parts():
    frame = pl.concat(deliveries(2))
    assert parts(frame.with_columns(hour=pl.col("net") % 24)) is None


def kept(frame, rule):
    return int(frame.select(rule.expression.fill_null(value=False)).to_series().sum())
