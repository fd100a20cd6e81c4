from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import FeatureError
from drivetrain.features.aggregate import count, last, mean, min, share, sum
from drivetrain.features.entity import Entity
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from features.cases import Table

ROUTE = Entity("route", ["origin", "dest"])
T0 = datetime(2013, 1, 1, tzinfo=UTC)
ROWS = pl.DataFrame(
    {
        "origin": ["JFK", "JFK", "LGA", None],
        "dest": ["LAX", "LAX", "ORD", "ORD"],
        "delay": [5, 7, None, 1],
        "tail": ["N1", "N2", "N3", "N4"],
        "landed": [T0.replace(hour=6), T0.replace(hour=5), T0.replace(hour=4), T0],
        "_event_time": [T0.replace(hour=1), T0.replace(hour=2), T0.replace(hour=3), T0],
        "_available_at": [T0.replace(hour=6), T0.replace(hour=5), T0.replace(hour=4), T0],
        "_seq": [0, 1, 2, 3],
    },
    schema_overrides={name: pl.Datetime("us", "UTC") for name in ("landed", "_event_time", "_available_at")},
)


def joined(labels, *features, rows=ROWS, entity=ROUTE, **more):
    view = FeatureView(name="v", entity=entity, source=Table("flights"), features=features, **more)
    return build(labels, [view], [], lambda name: rows.lazy())


def labels(*hours, dtype=pl.Datetime("us", "UTC"), dest="LAX"):
    at = pl.Series("_at", [T0.replace(hour=hour) for hour in hours], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"origin": ["JFK"] * len(hours), "dest": [dest] * len(hours), "_at": at.cast(dtype)})


def test_rows_out_equal_labels_in_whatever_their_order():
    asked = labels(7, 5, 7, 0, 6)
    made = joined(asked, count(windows="1d"), mean("delay", windows="1d"), last("tail"))
    assert made.select(asked.columns).equals(asked)
    assert made["v.count_1d"].to_list() == [2, 1, 2, 0, 2]
    assert made["v.mean_delay_1d"].to_list() == [6, 7, 6, None, 6]
    assert made["v.tail"].to_list() == ["N2", "N2", "N2", None, "N2"]


def test_a_value_is_known_when_it_is_available_not_when_it_happens():
    asked = labels(5, 6)
    assert joined(asked, sum("delay", windows="1d"))["v.sum_delay_1d"].to_list() == [7, 12]
    early = joined(asked, sum("delay", windows="1d"), time="_event_time", delay=0)
    assert early["v.sum_delay_1d"].to_list() == [12, 12]
    late = joined(asked, sum("delay", windows="1d"), available="landed", delay=HOUR)
    assert late["v.sum_delay_1d"].to_list() == [None, 7]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", None])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_any_unit_and_zone_is_the_same_moment(unit, zone):
    asked = labels(5, 6).with_columns(pl.col("_at").dt.cast_time_unit(unit))
    asked = asked.with_columns(
        pl.col("_at").dt.replace_time_zone(None) if zone is None else pl.col("_at").dt.convert_time_zone(zone)
    )
    made = joined(asked, sum("delay", windows="1d"))
    assert made["v.sum_delay_1d"].to_list() == [7, 12]
    assert made["_at"].dtype == asked["_at"].dtype


def test_nanoseconds_never_show_the_future():
    at = pl.Series("_at", [1_500, 2_000, 2_999], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    times = pl.Series([1_700], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    rows = ROWS.head(1).with_columns(times.alias("_event_time"), times.alias("_available_at"))
    asked = pl.DataFrame({"origin": ["JFK"] * 3, "dest": ["LAX"] * 3, "_at": at})
    assert joined(asked, count(), rows=rows)["v.count_all"].to_list() == [0, 1, 1]


def test_dates_are_their_midnights():
    asked = pl.DataFrame({"origin": ["JFK"], "dest": ["LAX"], "_at": [date(2013, 1, 2)]})
    assert joined(asked, count())["v.count_all"].to_list() == [2]


def test_null_keys_are_null_and_unknown_keys_have_no_events():
    asked = pl.DataFrame(
        {"origin": ["JFK", None, "EWR"], "dest": ["LAX", "ORD", "LAX"], "_at": [T0.replace(hour=9)] * 3},
        schema_overrides={"_at": pl.Datetime("us", "UTC")},
    )
    made = joined(asked, count(windows="1d"), last("tail"), mean("delay"))
    assert made.select("v.count_1d", "v.tail", "v.mean_delay_all").rows() == [
        (2, "N2", 6),
        (None, None, None),
        (0, None, None),
    ]


def test_features_have_three_types():
    made = joined(labels(7), count(windows="1d"), last("tail"), last("delay"), last(pl.col("delay") > 6, name="b"))
    assert made.select(pl.col("^v.*$")).dtypes == [pl.Float64, pl.String, pl.Float64, pl.Boolean]


def test_tables_and_label_frames_may_be_empty():
    made = joined(labels(7).clear(), count(windows="1d"), last("tail"))
    assert made.shape == (0, 5)
    made = joined(labels(7), count(windows="1d"), last("tail"), min("delay"), rows=ROWS.clear())
    assert made.select(pl.col("^v.*$")).rows() == [(0, None, None)]


def test_an_entity_key_may_have_another_name_in_the_table():
    asked = pl.DataFrame(
        {"plane": ["N1"], "_at": [T0.replace(hour=9)]}, schema_overrides={"_at": pl.Datetime("us", "UTC")}
    )
    made = joined(asked, last("delay"), entity=Entity("plane", "plane"), on={"plane": "tail"})
    assert made["v.delay"].to_list() == [5]


def test_integer_keys_wherever_they_lie():
    far = 2**62
    rows = ROWS.with_columns(pl.Series("id", [1, far, -far, None]))
    for keys in ([1, 2, None], [1, far, 7]):
        asked = pl.DataFrame(
            {"id": keys, "_at": [T0.replace(hour=9)] * 3}, schema_overrides={"_at": pl.Datetime("us", "UTC")}
        )
        made = joined(asked, count(), entity=Entity("thing", "id"), rows=rows)["v.count_all"].to_list()
        assert made == [None if key is None else float(key in (1, far)) for key in keys]


def test_times_far_apart_still_fit():
    moments = pl.Series([-(2**61), 0, 2**61], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    rows = pl.DataFrame(
        {"id": [0, 1, 2], "x": [1.0, 2.0, 3.0], "_event_time": moments, "_available_at": moments, "_seq": [0, 1, 2]}
    )
    asked = pl.DataFrame({"id": [0, 1, 2, 1], "_at": [0, 0, 2**61, -1]}).with_columns(
        pl.col("_at").cast(pl.Datetime("us", "UTC"))
    )
    made = joined(asked, sum("x", windows=[DAY, None]), entity=Entity("thing", "id"), rows=rows)
    assert made.select(pl.col("^v.*$")).rows() == [(None, 1.0), (2.0, 2.0), (3.0, 3.0), (None, None)]


@pytest.mark.parametrize(
    ("asked", "features", "more", "message"),
    [
        (labels(5).drop("_at"), [count()], {}, "no moment of prediction"),
        (
            labels(5).with_columns(pl.lit(None).cast(pl.Datetime).alias("_at")),
            [count()],
            {},
            "1 label rows have no moment",
        ),
        (labels(5).drop("dest"), [count()], {}, r"label rows lacks columns.*\['dest'\]"),
        (labels(5).with_columns(pl.lit(1).alias("dest")), [count()], {}, "one type in the table and another"),
        (labels(5).with_columns(pl.lit(1.5).alias("dest")), [count()], {}, "can't tell entities apart"),
        (labels(5), [mean("nothing")], {}, r"table of view 'v' lacks columns.*\['nothing'\]"),
        (labels(5), [mean("tail")], {}, "can't be the mean of these values; found String; expected numbers"),
        (labels(5), [share("delay")], {}, "found Int64; expected booleans"),
        (labels(5), [last("landed")], {}, "looks up values a model can't read"),
        (labels(5), [last(pl.col("tail") * 2)], {}, "can't be computed"),
        (labels(5), [count()], {"time": "tail"}, "is no time"),
        (labels(5), [count()], {"available": "gone"}, r"lacks columns.*\['gone'\]"),
    ],
)
def test_bad_input_is_named(asked, features, more, message):
    with pytest.raises(FeatureError, match=message):
        joined(asked, *features, **more)
