"""Bars read off a sketch, against a count of the values themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.histogram import BARS, histogram
from drivetrain.data.profile import column_profile


def of(values, dtype=None, **more):
    return histogram(column_profile(pl.Series("x", values, dtype=dtype)), **more)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=300).filter(lambda found: len(set(found)) > 1))
def test_small_columns_are_counted_exactly(values):
    found = of(values, pl.Float64)
    edges = np.linspace(found.low, found.high, BARS + 1)
    inside = [value for value in values if found.low <= value <= found.high]
    counts, _ = np.histogram(inside, bins=edges)
    # A value on an edge may fall to either side of it by rounding.
    assert sum(found.shares) == pytest.approx(len(inside) / len(values), abs=1e-3)
    cumulated = np.cumsum(counts) / len(values)
    near = [any(abs(value - edge) <= 1e-9 * max(1, abs(edge)) for value in values) for edge in edges[1:]]
    for ours, theirs, on_edge in zip(np.cumsum(found.shares), cumulated, near, strict=True):
        assert on_edge or ours == pytest.approx(theirs, abs=1e-3)


def test_a_large_column_is_within_the_sketch_s_error():
    values = np.random.default_rng(1).normal(size=200_000)
    found = of(values)
    counts, _ = np.histogram(values, bins=np.linspace(found.low, found.high, BARS + 1))
    assert np.abs(np.cumsum(found.shares) - np.cumsum(counts) / len(values)).max() < 0.015


def test_whole_numbers_have_a_bar_each_or_bars_of_equally_many():
    months = of([1, 2, 2, 3, 12])
    assert (months.low, months.high, len(months.shares)) == (0.5, 12.5, 12)
    assert months.shares[:3] == (0.2, 0.4, 0.2)
    years = of(list(range(1900, 2000)))
    assert len({round(share, 4) for share in years.shares}) == 1, "no comb"
    days = of([date(2024, 1, 1), date(2024, 1, 3)])
    assert days.shares == (0.5, 0.0, 0.5)


def test_far_ends_are_left_out():
    found = of([*np.linspace(0, 1, 1_000), 1e9])
    assert found.high <= 1
    assert sum(found.shares) == pytest.approx(0.98, abs=0.02)


def test_an_earlier_version_lies_over_the_same_ranges():
    now, before = (column_profile(pl.Series("x", values)) for values in ([5.0, 6.0], [1.0, 2.0]))
    found = histogram(now, before)
    assert (found.low, found.high) == (1.0, 6.0)
    assert sum(found.before[:12]) == pytest.approx(1)
    assert sum(found.shares[12:]) == pytest.approx(1)
    retyped = histogram(now, column_profile(pl.Series("x", [1, 2])))
    assert retyped.before == ()


@pytest.mark.parametrize("values", [["a", "b"], [True, False], [4.0, 4.0], [None, None], []])
def test_what_has_no_spread_has_no_bars(values):
    assert of(values) is None


def test_times_are_spread_in_microseconds():
    found = of([datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2)])
    assert found.high - found.low == 86_400_000_000
