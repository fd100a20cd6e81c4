from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.records import Field, InputSchema

SCHEMA = InputSchema(
    (
        Field("distance"),
        Field("carrier", "category", ("AA", "UA")),
        Field("weekend", "boolean"),
        Field("dest", "category"),
    )
)


def same(one, other):
    return len(one) == len(other) and all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True)
    )


def test_names_and_positions():
    assert SCHEMA.names == ("distance", "carrier", "weekend", "dest")
    assert SCHEMA.category_positions == (1, 3)


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ([1400, "UA", True, "BOS"], [1400.0, 1.0, 1.0, math.nan]),
        ([None, None, None, None], [math.nan] * 4),
        ([1.5, "AA", False, None], [1.5, 0.0, 0.0, math.nan]),
        ([math.nan, "ZZ", 1, ""], [math.nan, math.nan, 1.0, math.nan]),
    ],
)
def test_encodes_as_the_model_sees_it(values, row):
    assert same(SCHEMA.encoder().encode(values), row)


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5])
def test_rows_of_another_length_are_errors(values):
    with pytest.raises(ValueError, match="zip"):
        SCHEMA.encoder().encode(values)


@given(
    st.tuples(
        st.none() | st.floats(allow_nan=False) | st.integers(-(2**50), 2**50),
        st.none() | st.sampled_from(["AA", "UA", "ZZ"]),
        st.none() | st.booleans(),
        st.none() | st.text(),
    )
)
def test_agrees_with_the_rule_written_out(values):
    def rule(field, value):
        if value is None:
            return math.nan
        if field.type == "category":
            return float(field.categories.index(value)) if value in field.categories else math.nan
        return float(value)

    expected = [rule(field, value) for field, value in zip(SCHEMA.fields, values, strict=True)]
    assert same(SCHEMA.encoder().encode(values), expected)
