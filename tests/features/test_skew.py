from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import FeatureError
from drivetrain.features.encoding import schema_of
from drivetrain.features.skew import agreeing, compare

OFFLINE = pl.DataFrame({"x": [1.0, None, 3.0, 1.0], "c": ["a", "b", None, "a"]})
SCHEMA = schema_of(OFFLINE, ["x", "c"])


def logged(values):
    return pl.DataFrame({"entity": ["p", "q", "r", "s"], "at": [1, 2, 3, 4], "values": values})


def test_equal_values_have_no_skew():
    found = compare(logged([[1.0, 0.0], [None, 1.0], [3.0, float("nan")], [1.0 + 1e-15, 0.0]]), OFFLINE, SCHEMA)
    assert found.served.shape == (4, 2)
    assert not found.apart.any()


def test_differences_are_found_where_they_are():
    found = compare(logged([[2.0, 0.0], [0.0, 1.0], [None, None], [1.0, 1.0]]), OFFLINE, SCHEMA)
    assert found.apart.tolist() == [[True, False], [True, False], [True, False], [False, True]]
    assert (found.count("x"), found.count("c")) == (3, 1)
    assert (found.served[0, 0], found.offline[0, 0]) == (2.0, 1.0)


def test_a_field_that_is_not_made_any_more_is_left_out():
    found = compare(logged([[2.0, 0.0], [None, 1.0], [3.0, None], [1.0, 1.0]]), OFFLINE.drop("x"), SCHEMA)
    assert found.schema.names == ("c",)
    assert found.apart.tolist() == [[False], [False], [False], [True]]


@given(st.lists(st.floats() | st.none(), max_size=30), st.floats(0.5, 2.0))
def test_values_agree_with_themselves_and_not_with_what_is_a_millionth_off(values, scale):
    numbers = np.array([math.nan if value is None else value for value in values])
    assert agreeing(numbers, numbers).all()
    assert agreeing(np.array([scale]), np.array([scale * (1 + 1e-12)])).all()
    assert not agreeing(np.array([scale]), np.array([scale * (1 + 1e-6)])).any()
    assert not agreeing(np.array([scale, scale]), np.array([math.nan, math.inf])).any()


def test_what_does_not_pair_up_is_named():
    with pytest.raises(FeatureError, match="don't pair up"):
        compare(logged([[1.0, 0.0]] * 4), OFFLINE.head(3), SCHEMA)
    with pytest.raises(FeatureError, match="other features than the schema"):
        compare(logged([[1.0]] * 4), OFFLINE, SCHEMA)
    assert compare(logged([[]] * 4).head(0), OFFLINE.head(0), SCHEMA).served.shape == (0, 2)
