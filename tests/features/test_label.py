from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.features.label import label, labels_of
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
