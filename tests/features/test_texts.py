from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import FeatureError
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.texts import texts_of
from drivetrain.features.encoding import encode
from drivetrain.features.texts import carrying, gathered, taken

SCHEMA = InputSchema((Field("age"), Field("note", "text"), Field("kind", "category", ("a", "b"))))


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9) | st.none(), st.text() | st.none(), st.sampled_from(["a", "b", "c", None])))
)
def test_rows_and_frames_agree(rows: list[tuple[float | None, str | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"age": pl.Float64, "note": pl.String, "kind": pl.String}, orient="row")
    matrix = encode(frame, SCHEMA)
    assert texts_of(matrix) == {1: [row[1] for row in rows]}
    encoder = SCHEMA.encoder()
    one_by_one = [encoder.encode(row) for row in rows]
    if rows:
        together = gathered(one_by_one)
        assert np.array_equal(together, matrix, equal_nan=True)
        assert texts_of(together) == texts_of(matrix)


def test_some_rows_are_taken_with_their_texts() -> None:
    rows = carrying(np.arange(6.0).reshape(3, 2), {1: ["x", None, "yy"]})
    some = taken(rows, np.array([True, False, True]))
    assert some.tolist() == [[0.0, 1.0], [4.0, 5.0]]
    assert texts_of(some) == {1: ["x", "yy"]}
    assert texts_of(taken(np.asarray(rows), np.array([True, True, False]))) is None
    for lost in (rows[1:], rows + 1, np.ascontiguousarray(rows), rows.copy()):
        assert texts_of(lost) is None


def test_a_column_that_changed_its_type_is_refused() -> None:
    frame = pl.DataFrame({"age": [1.0], "note": [3], "kind": ["a"]})
    with pytest.raises(FeatureError, match="feature 'note' changed its type; found Int64; expected text"):
        encode(frame, SCHEMA)
    with pytest.raises(TypeError, match="3 is no text"):
        SCHEMA.encoder().encode([1.0, 3, "a"])


def test_nothing_changes_where_there_are_no_texts() -> None:
    plain = InputSchema((Field("age"), Field("kind", "category", ("a", "b"))))
    row = plain.encoder().encode([1, "b"])
    assert type(row) is list
    assert type(encode(pl.DataFrame({"age": [1], "kind": ["b"]}), plain)) is np.ndarray
    assert type(gathered([row])) is np.ndarray
