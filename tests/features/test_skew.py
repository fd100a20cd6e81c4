from __future__ import annotations

import polars as pl
import pytest

from drivetrain.core.errors import FeatureError
from drivetrain.features.encoding import schema_of
from drivetrain.features.skew import compare

OFFLINE = pl.DataFrame({"x": [1.0, None, 3.0, 1.0], "c": ["a", "b", None, "a"]})
SCHEMA = schema_of(OFFLINE, ["x", "c"])


def logged(values):
    return pl.DataFrame({"entity": ["p", "q", "r", "s"], "at": [1, 2, 3, 4], "values": values})


def test_equal_values_have_no_skew():
    same = logged([[1.0, 0.0], [None, 1.0], [3.0, float("nan")], [1.0 + 1e-15, 0.0]])
    assert [(one.feature, one.compared, one.mismatches) for one in compare(same, OFFLINE, SCHEMA)] == [
        ("x", 4, 0),
        ("c", 4, 0),
    ]


def test_differences_are_counted_and_shown():
    apart = logged([[2.0, 0.0], [0.0, 1.0], [None, None], [1.0, 1.0]])
    found = compare(apart, OFFLINE, SCHEMA, examples=2)
    assert [one.mismatches for one in found] == [3, 1]
    assert len(found[0].examples) == 2
    example = found[0].examples[0]
    assert (example.entity, example.at, example.logged, example.offline) == ("p", 1, 2.0, 1.0)


def test_what_does_not_pair_up_is_named():
    with pytest.raises(FeatureError, match="don't pair up"):
        compare(logged([[1.0, 0.0]] * 4), OFFLINE.head(3), SCHEMA)
    with pytest.raises(FeatureError, match="other features than the schema"):
        compare(logged([[1.0]] * 4), OFFLINE, SCHEMA)
    assert compare(logged([[]] * 4).head(0), OFFLINE.head(0), SCHEMA)[0].compared == 0
