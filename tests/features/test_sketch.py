from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.features.sketch import BINS, sketch_of

FLOATS = st.floats(-1e12, 1e12)


@given(st.lists(st.none() | FLOATS | st.just(math.nan), max_size=60))
def test_of_numbers_nothing_is_lost(values):
    found = sketch_of(pl.Series(values, dtype=pl.Float64))
    known = [value for value in values if value is not None and not math.isnan(value)]
    assert found.rows == len(values)
    assert found.null_share == pytest.approx((len(values) - len(known)) / len(values) if values else 0.0)
    assert bool(found.shape) == bool(known)
    if known:
        assert len(found.shape) <= BINS
        assert sum(found.shape) == pytest.approx(1.0)
        assert found.quantiles["0.0"] == min(known)
        assert found.quantiles["1.0"] == max(known)


@given(st.lists(st.integers(0, 11), min_size=1, max_size=80))
def test_of_few_whole_numbers_each_has_a_step_of_its_own(values):
    found = sketch_of(pl.Series(values, dtype=pl.Float64))
    whole = pl.Series(values, dtype=pl.Float64)
    first, last = whole.quantile(0.01, "linear"), whole.quantile(0.99, "linear")
    steps = range(math.floor(first), math.ceil(last) + 1)
    clipped = [min(max(value, steps[0]), steps[-1]) for value in values]
    assert list(found.shape) == pytest.approx([clipped.count(step) / len(values) for step in steps])


def test_of_texts_the_most_frequent_come_first_and_ties_in_order():
    found = sketch_of(pl.Series(["b", "a", "c", "c", None, "d", "e", "f"]))
    assert found.top == (("c", 2 / 7), ("a", 1 / 7), ("b", 1 / 7), ("d", 1 / 7), ("e", 1 / 7))
    assert found.distinct == 6
    assert found.null_share == 1 / 8
    assert sketch_of(pl.Series([True, False, True])).top == (("true", 2 / 3), ("false", 1 / 3))


def test_what_must_not_be_shown_is_not():
    numbers = sketch_of(pl.Series([1.0, 2.0, None, 40.0]), masked=True)
    assert numbers.shape
    assert numbers.quantiles == {}
    assert numbers.null_share == 0.25
    texts = sketch_of(pl.Series(["a@b.c", None]), masked=True)
    assert (texts.top, texts.distinct, texts.null_share) == ((), None, 0.5)


def test_of_nothing():
    assert sketch_of(pl.Series([], dtype=pl.Float64)).null_share == 0.0
    assert sketch_of(pl.Series([None, None], dtype=pl.String)).top == ()
    assert sketch_of(pl.Series([7.5, 7.5])).shape == (1.0,)
