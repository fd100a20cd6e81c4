from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.core.records import Task
from drivetrain.features.label import label, labels_of
from drivetrain.features.target import Target, encode_labels, kind_of, task_of
from features.cases import Table

T0 = datetime(2013, 1, 1, tzinfo=UTC)
FLIGHTS = Table("flights", ("date", "carrier"))
ROWS = pl.DataFrame(
    {
        "date": ["d2", "d1", "d3"],
        "carrier": ["UA", "AA", "UA"],
        "arr_delay": [20, None, 3],
        "_event_time": [T0 + timedelta(days=2), T0 + timedelta(days=1), T0 + timedelta(days=3)],
        "_available_at": [T0 + timedelta(days=2, hours=5), T0, T0 + timedelta(days=3, hours=5)],
        "_seq": [0, 1, 2],
    },
    schema_overrides={name: pl.Datetime("us", "UTC") for name in ("_event_time", "_available_at")},
)
LATE = label(FLIGHTS, pl.col("arr_delay") >= 15, at=pl.col("_event_time") - pl.duration(hours=2))


def test_labels_in_order_of_their_moments():
    made = labels_of(ROWS.lazy(), LATE, ["carrier"])
    assert made.columns == ["_entity", "_at", "_label", "_label_at", "carrier"]
    assert made["_entity"].to_list() == ["d1|AA", "d2|UA", "d3|UA"]
    assert made["_label"].to_list() == [None, 1.0, 0.0]
    assert made["_at"].to_list() == [T0 + timedelta(days=day, hours=-2) for day in (1, 2, 3)]
    assert made["_label_at"][0] == T0 + timedelta(days=1)
    assert made["_at"].dtype == pl.Datetime("us", "UTC")


def test_every_column_of_the_source_comes_along_if_none_is_named():
    assert labels_of(ROWS.lazy(), LATE).columns[4:] == ["date", "carrier", "arr_delay"]
    assert labels_of(ROWS.lazy(), label(FLIGHTS, pl.col("arr_delay"), entity="date"))["_entity"].to_list() == [
        "d1",
        "d2",
        "d3",
    ]


def test_digest_follows_meaning():
    assert LATE.digest == label(FLIGHTS, pl.col("arr_delay") >= 15, at=LATE.at, description="late").digest
    assert LATE.digest != label(FLIGHTS, pl.col("arr_delay") >= 16, at=LATE.at).digest
    assert LATE.digest != label(FLIGHTS, pl.col("arr_delay") >= 15).digest
    assert LATE.words == "whether arr_delay >= 15"


def test_bad_labels_are_named():
    with pytest.raises(ProjectError, match="looks at other rows"):
        label(FLIGHTS, pl.col("arr_delay") > pl.col("arr_delay").mean())
    with pytest.raises(FeatureError, match=r"lacks columns a label needs.*\['gate'\]"):
        labels_of(ROWS.lazy(), LATE, ["gate"])
    nowhen = ROWS.with_columns(pl.lit(None).cast(pl.Datetime("us", "UTC")).alias("_event_time"))
    with pytest.raises(FeatureError, match="3 rows of 'flights' have no moment"):
        labels_of(nowhen.lazy(), LATE)


DTYPES = {
    "a boolean": (pl.Series([True, None, False]), [1.0, None, 0.0], "binary"),
    "0 and 1": (pl.Series([1, None, 0]), [1.0, None, 0.0], "binary"),
    "numbers": (pl.Series([1, None, 7]), [1.0, None, 7.0], "regression"),
    "text": (pl.Series(["b", None, "a"]), ["b", None, "a"], "multiclass"),
    "categories": (pl.Series(["b", None, "a"], dtype=pl.Categorical), ["b", None, "a"], "multiclass"),
    "lists of text": (pl.Series([["b"], None, []]), [["b"], None, []], "multilabel"),
}


@pytest.mark.parametrize("case", DTYPES)
def test_a_labels_values_tell_what_is_asked(case):
    values, kept, kind = DTYPES[case]
    made = labels_of(ROWS.with_columns(value=values).lazy(), label(FLIGHTS, pl.col("value"), entity="date"), [])
    assert made["_label"].to_list() == [kept[1], kept[0], kept[2]]
    assert kind_of(made["_label"], Target()) == kind


def test_what_is_said_of_a_label_goes_before_its_values():
    rows = ROWS.with_columns(value=pl.Series([10.0, None, 9.0])).lazy()
    asked = label(FLIGHTS, pl.col("value"), kind="multiclass")
    labels = labels_of(rows, asked, [])["_label"]
    assert labels.to_list() == [None, "10", "9"]
    task = task_of(labels.drop_nulls(), kind_of(labels, asked.target))
    assert task == Task("multiclass", ("9", "10")), "whole numbers come in their own order"
    codes, unseen = encode_labels(pl.Series(["10", "9", "11", "11", "9.5"]), task)
    assert codes[:2].tolist() == [1.0, 0.0]
    assert np.isnan(codes[2:]).all()
    assert unseen == {"11": 2, "9.5": 1}
    assert asked.digest != label(FLIGHTS, pl.col("value")).digest
    levels = [label(FLIGHTS, pl.col("value"), kind="quantile", levels=[each]) for each in (0.5, 0.9)]
    assert levels[0].digest != levels[1].digest
    assert levels[1].words == "0.9 of value"


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (["a", "b", None], "binary", "can't be a yes or no; found String; expected a boolean"),
        (["a", "b", None], "regression", "can't be a number; found String; expected a number"),
        ([["a"], [], None], "multiclass", r"can't be one of several classes; found List\(String\); expected text"),
        ([1, 2, None], "multilabel", "can't be any of several labels; found Int64; expected lists of text"),
        ([T0, T0, None], None, "can't be a number; found Datetime"),
    ],
)
def test_values_that_can_not_be_of_the_kind_are_refused(values, kind, words):
    rows = ROWS.with_columns(value=pl.Series(values))
    with pytest.raises(FeatureError, match=words):
        labels_of(rows.lazy(), label(FLIGHTS, pl.col("value"), kind=kind), [])


def test_rows_that_are_ranked_together_are_named():
    made = labels_of(ROWS.lazy(), label(FLIGHTS, pl.col("arr_delay"), kind="ranking", group="carrier"), ["date"])
    assert made["_group"].to_list() == ["AA", "UA", "UA"]


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=12))
def test_several_labels_are_encoded_row_by_row(rows):
    labels = pl.Series([sorted(row) for row in rows], dtype=pl.List(pl.String))
    task = task_of(labels.filter(pl.int_range(len(rows), eager=True) % 2 == 0), "multilabel")
    codes, unseen = encode_labels(labels, task)
    for row, code in zip(rows, codes, strict=True):
        assert {name for name, there in zip(task.classes, code, strict=True) if there} == row & set(task.classes)
    assert unseen == dict(sorted(Counter(name for row in rows for name in row - set(task.classes)).items()))
