from __future__ import annotations

from unittest import mock

import numpy as np
import polars as pl
import pytest

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.features import block
from drivetrain.features.aggregate import count_distinct, embedding, last_n, quantile, since_last, top_k
from drivetrain.features.coded import Coded
from drivetrain.features.entity import Entity
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from features.cases import UTC, Table
from features.oracle import quantile as quantile_of

ENTITY = Entity("thing", "id")
QUANTILES = (0.0, 0.3, 0.5, 0.99, 1.0)


def joined(rows, labels, *features, **more):
    view = FeatureView(name="v", entity=ENTITY, source=Table(), features=features, **more)
    return build(labels, [view], [], lambda name: rows.lazy()).select(pl.col("^v.*$"))


def rows_of(event, available, seq=None, **columns):
    many = len(event)
    frame = pl.DataFrame(
        {"id": [0] * many, **columns, "_event_time": event, "_available_at": available, "_seq": seq or range(many)}
    )
    return frame.with_columns(pl.col("_event_time", "_available_at").cast(UTC))


def labels_of(*moments):
    return pl.DataFrame({"id": [0] * len(moments), "_at": moments}).with_columns(pl.col("_at").cast(UTC))


@pytest.mark.parametrize("size", [100, 1 << 20])
@pytest.mark.parametrize("alphabet", [6, 10**6])
@pytest.mark.parametrize(("offset", "hop"), [(0, None), (7, None), (0, 30), (11, 13)])
@pytest.mark.parametrize("delays", [0, 4, 300])
def test_many_events_as_numpy_counts_them(delays, offset, hop, alphabet, size):
    random = np.random.default_rng(delays + offset)
    many = 1_500
    entity, event = random.integers(0, 4, many), random.integers(-200, 200, many)
    available = event + random.integers(0, delays + 1, many)
    value = random.integers(0, alphabet, many) / 8
    rows = pl.DataFrame(
        {"id": entity, "x": value, "_event_time": event, "_available_at": available, "_seq": range(many)}
    )
    rows = rows.with_columns(pl.col("_event_time", "_available_at").cast(UTC))
    who, when = random.integers(0, 4, 200), random.integers(-250, 600, 200)
    labels = pl.DataFrame({"id": who, "_at": when}).with_columns(pl.col("_at").cast(UTC))
    asked = {"windows": [60, None], "offset": offset, "hop": hop}
    features = [count_distinct("x", **asked), top_k("x", 3, **asked)]
    features += [quantile("x", q, **asked) for q in QUANTILES]
    with mock.patch.object(block, "_SIZE", size):
        found = joined(rows, labels, *features).to_dict(as_series=False)
    for at, (one, moment) in enumerate(zip(who, when, strict=True)):
        for window in ("60us", "all"):
            seen = (entity == one) & (available <= moment) & (event <= moment - offset)
            if window != "all":
                begin = moment - offset - 60
                seen &= event > (begin if hop is None else begin // hop * hop)
            different, counts = np.unique(value[seen], return_counts=True)
            ranked = different[np.lexsort((different, -counts))][:3].tolist()
            assert found[f"v.count_distinct_x_{window}"][at] == len(different)
            assert [found[f"v.top_x_{rank}_{window}"][at] for rank in (1, 2, 3)] == [*ranked, None, None, None][:3]
            for q in QUANTILES:
                one_of = found[f"v.quantile_{q:g}_x_{window}"][at]
                assert one_of == (quantile_of(sorted(value[seen]), q) if seen.any() else None)


def test_an_event_known_late_is_in_windows_that_begin_early_enough():
    rows = rows_of([11], [25], x=[1.0])
    found = joined(rows, labels_of(24, 25, 29, 30, 34), count_distinct("x", windows=10, hop=10))
    assert found.to_series().to_list() == [0, 1, 1, 0, 0]


def test_hops_that_leave_out_as_many_events_need_not_leave_out_the_same():
    rows = rows_of([11, 15], [25, 30], x=[1.0, 2.0])
    tens, sevens = (quantile("x", 0.5, windows=10, hop=hop, name=f"hop_{hop}") for hop in (10, 7))
    assert joined(rows, labels_of(25, 30), tens, sevens).rows() == [(1, None), (None, 2)]


def test_zeros_are_one_value_and_what_has_no_square_is_none():
    rows = rows_of(range(6), range(6), x=[-0.0, 0.0, 2.0**480, float("nan"), float("-inf"), None])
    found = joined(rows, labels_of(9), count_distinct("x"), top_k("x", 2), quantile("x", 0.5))
    assert found.row(0) == (1, 0, None, 0)
    assert not np.signbit(found["v.top_x_1_all"][0])


def test_texts_are_ordered_by_code_points_and_false_comes_first():
    names = ["é", "z", "B", "é", "z", "B"]
    rows = rows_of(range(6), range(6), s=names, b=[True, False] * 3)
    features = [top_k("s", 3), top_k("b", 2), count_distinct("s")]
    for dtype in (pl.String, pl.Categorical, pl.Enum(["z", "é", "B"])):
        found = joined(rows.with_columns(pl.col("s").cast(dtype)), labels_of(9), *features)
        assert found.row(0) == ("B", "z", "é", False, True, 3)
        assert found.dtypes == [pl.String] * 3 + [pl.Boolean] * 2 + [pl.Float64]


def test_columns_of_nulls_have_no_values():
    rows = rows_of([1, 2], [1, 2], x=[None, None])
    found = joined(rows, labels_of(9), count_distinct("x"), top_k("x", 1), quantile("x", 0.5))
    assert found.row(0) == (0, None, None)
    found = joined(rows.with_columns(pl.col("x").cast(pl.String)), labels_of(9), count_distinct("x"), top_k("x", 1))
    assert found.row(0) == (0, None)
    assert found.dtypes == [pl.Float64, pl.String]


def test_null_keys_are_null_and_unknown_keys_have_no_events():
    labels = pl.DataFrame({"id": [None, 5], "_at": [9, 9]}).with_columns(pl.col("_at").cast(UTC))
    rows = rows_of([1], [1], x=[1.0])
    features = [
        count_distinct("x"),
        top_k("x", 1),
        quantile("x", 0.5),
        since_last(),
        *embedding(pl.concat_list("x"), 1),
    ]
    assert joined(rows, labels, *features).rows() == [(None,) * 5, (0, None, None, None, None)]


def test_rows_are_told_apart_by_what_came_last():
    rows = rows_of([5, 5, 3, 4], [5, 6, 9, 4], [2, 1, 3, 0], x=[1.0, 2.0, 3.0, 4.0])
    found = joined(rows, labels_of(3, 5, 6, 9), last_n("x", 3), since_last())
    assert found.rows() == [
        (None, None, None, None),
        (1, 4, None, 0),
        (1, 2, 4, 1e-6),
        (1, 2, 4, 4e-6),
    ]
    found = joined(rows, labels_of(6, 9), last_n("x", 4), since_last(), ttl=5)
    assert found.rows() == [(1, 2, 4, None, 1e-6), (1, 2, None, None, 4e-6)]


def test_codes_sort_as_values_do():
    coded = Coded.of(pl.Series([3, None, -1, 3, 0]))
    assert coded.codes.tolist() == [2, -1, 0, 2, 1]
    assert coded.values.to_list() == [-1, 0, 3]


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (quantile("s", 0.5), "can't be the quantile of these values; found String; expected numbers"),
        (count_distinct("t"), r"the distinct of these values; found Datetime.*expected numbers, booleans or text"),
        (top_k("l", 1), "the top of these values; found List.*expected numbers, booleans or text"),
        (last_n("l", 1), "looks up values a model can't read"),
    ],
)
def test_values_that_can_not_be_compared_are_named(feature, message):
    rows = rows_of([1], [1], s=["a"], l=[[1.0]]).with_columns(t=pl.col("_event_time"))
    with pytest.raises(FeatureError, match=message):
        joined(rows, labels_of(9), feature)


def test_a_list_has_to_be_one():
    with pytest.raises((FeatureError, ProjectError), match="can't be computed"):
        joined(rows_of([1], [1], x=[1.0]), labels_of(9), *embedding("x", 2))
