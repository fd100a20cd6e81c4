from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import FeatureError
from drivetrain.features.encoding import CATEGORIES, encode, schema_of

ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(-1e9, 1e9)),
        st.one_of(st.none(), st.integers(-(2**40), 2**40)),
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.text(max_size=3)),
    ),
    max_size=20,
)
SCHEMA = {"x": pl.Float64, "n": pl.Int64, "b": pl.Boolean, "s": pl.String}


@given(ROWS, ROWS)
def test_frames_and_single_rows_are_encoded_alike(train, rows):
    schema = schema_of(pl.DataFrame(train, schema=SCHEMA, orient="row"), list(SCHEMA))
    matrix = encode(pl.DataFrame(rows, schema=SCHEMA, orient="row"), schema)
    assert matrix.flags.c_contiguous
    assert matrix.dtype == np.float64
    encoder = schema.encoder()
    for row, encoded in zip(rows, matrix.tolist(), strict=True):
        for one, other in zip(encoder.encode(row), encoded, strict=True):
            assert one == other or (math.isnan(one) and math.isnan(other))


def test_categories_are_the_most_frequent_of_the_training_rows():
    values = [f"c{at:03}" for at in range(300)] + [f"c{at:03}" for at in range(100, 300)] + [None]
    schema = schema_of(pl.DataFrame({"s": values}), ["s"], {"s": "letters"})
    field = schema.fields[0]
    assert len(field.categories) == CATEGORIES
    assert list(field.categories) == sorted(field.categories)
    assert set(field.categories) >= {f"c{at:03}" for at in range(100, 300)}
    assert field.description == "letters"
    assert np.isnan(encode(pl.DataFrame({"s": ["c099", "never", None]}), schema)).all()


def test_categoricals_are_text():
    frame = pl.DataFrame({"s": pl.Series(["b", "a", None], dtype=pl.Categorical)})
    assert np.array_equal(encode(frame, schema_of(frame, ["s"]))[:, 0], [1, 0, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: schema_of(pl.DataFrame({"a": [1]}), ["b"]), r"lacks features.*\['b'\]"),
        (
            lambda: schema_of(pl.DataFrame({"a": [1]}).select(pl.col("a").cast(pl.Date)), ["a"]),
            "can't read feature 'a'",
        ),
        (lambda: encode(pl.DataFrame({"b": [1]}), schema_of(pl.DataFrame({"a": [1]}), ["a"])), "lack feature 'a'"),
        (lambda: encode(pl.DataFrame({"a": ["x"]}), schema_of(pl.DataFrame({"a": [1]}), ["a"])), "changed its type"),
        (lambda: encode(pl.DataFrame({"a": [1]}), schema_of(pl.DataFrame({"a": ["x"]}), ["a"])), "changed its type"),
    ],
)
def test_bad_input_is_named(work, message):
    with pytest.raises(FeatureError, match=message):
        work()
