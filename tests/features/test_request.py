from __future__ import annotations

import time
from datetime import UTC, datetime

import polars as pl
import pytest

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.features.request import RequestFeatures


def calendar(request):
    return [
        pl.col("sched_dep").dt.hour().alias("hour"),
        (pl.col("distance") > 1000).alias("far"),
        pl.lit(1).alias("one"),
    ]


INPUTS = {"sched_dep": "time", "distance": "float"}
MADE = RequestFeatures(name="calendar", function=calendar, inputs=INPUTS)


def frame(*hours):
    at = [datetime(2013, 1, 1, hour, tzinfo=UTC) for hour in hours]
    return pl.DataFrame(
        {"sched_dep": at, "distance": [900, *[2000] * (len(hours) - 1)][: len(hours)], "other": ["x"] * len(hours)},
        schema={"sched_dep": pl.Datetime("ms", "UTC"), "distance": pl.Int64, "other": pl.String},
    )


def test_one_row_is_what_it_is_among_many():
    many = MADE.evaluate(frame(5, 6, 7))
    assert many.columns == list(MADE.feature_names) == ["calendar.hour", "calendar.far", "calendar.one"]
    assert many.rows() == [(5, False, 1), (6, True, 1), (7, True, 1)]
    for at in range(3):
        assert MADE.evaluate(frame(5, 6, 7)[at]).rows() == [many.row(at)]
    assert MADE.evaluate(frame()).shape == (0, 3)


def test_constants_alone_still_make_a_row_each():
    made = RequestFeatures(name="c", function=lambda request: [pl.lit(1).alias("one")], inputs=INPUTS)
    assert made.evaluate(frame(5, 6)).rows() == [(1,), (1,)]
    assert made.evaluate(frame()).shape == (0, 1)


def test_the_function_is_asked_once_and_not_for_each_request():
    asked = []

    def counted(request):
        asked.append(request.schema)
        return calendar(request)

    made = RequestFeatures(name="c", function=counted, inputs=INPUTS)
    assert made.evaluate(frame(5, 6)).rows() == MADE.evaluate(frame(5, 6)).rows()
    told = len(asked)
    made.evaluate(frame(7))
    assert len(asked) == told
    assert {tuple(schema.items()) for schema in asked} == {tuple(made.types.items())}


def test_what_is_read_by_name():
    assert MADE.reads == ("sched_dep", "distance")
    assert [expr.meta.output_name() for expr in MADE.named] == list(MADE.feature_names)


def test_digest_follows_the_code():
    def renamed(request):
        # a comment
        return [pl.col("sched_dep").dt.hour().alias("hour")]

    def other(request):
        return [pl.col("sched_dep").dt.minute().alias("hour")]

    digests = {
        RequestFeatures(name="c", function=code, inputs=INPUTS, description="d").digest for code in (renamed, other)
    }
    assert len(digests) == 2
    assert MADE.digest == RequestFeatures(name="x", function=calendar, inputs=INPUTS, description="d").digest


def test_words():
    assert MADE.words()["calendar.far"] == "distance > 1000, from the request"


@pytest.mark.parametrize(
    ("function", "inputs", "message"),
    [
        (lambda request: [pl.col("nothing")], INPUTS, "can't be computed"),
        (lambda request: 1 / 0, INPUTS, "ZeroDivisionError"),
        (lambda request: [pl.col("distance").mean()], INPUTS, "looks at other rows"),
        (lambda request: [pl.col("distance"), pl.col("distance") + 1], INPUTS, "repeat a name|duplicate"),
        (calendar, {"sched_dep": "moment"}, "unknown types"),
        (lambda request: [pl.lit(request["distance"].sum()).alias("sum")], INPUTS, "other expressions for other"),
        (lambda request: [(pl.col("distance") * request.height).alias("x")], INPUTS, "other expressions for other"),
        (lambda request: [pl.lit(time.monotonic_ns()).alias("now")], INPUTS, "no clock"),
    ],
)
def test_impossible_functions_are_named(function, inputs, message):
    with pytest.raises(ProjectError, match=message):
        _ = RequestFeatures(name="calendar", function=function, inputs=inputs).feature_names


def test_missing_and_mistyped_fields_are_named():
    with pytest.raises(FeatureError, match=r"lack fields.*\['distance'\]"):
        MADE.evaluate(frame(5).drop("distance"))
    with pytest.raises(FeatureError, match="can't be computed"):
        MADE.evaluate(frame(5).with_columns(distance=pl.lit("far")))
