"""Features as they stood a day earlier, beside a search by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from drivetrain.loop.stages.probe import earlier


def test_the_last_row_of_the_same_entity_a_day_or_more_before():
    random = np.random.default_rng(0)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    known = pl.DataFrame(
        {
            "plane": [["a", "b", "c", None][at] for at in random.integers(0, 4, 200)],
            "_at": [start + timedelta(hours=int(hour)) for hour in np.sort(random.integers(0, 400, 200))],
            "view.x": random.normal(size=200),
        }
    ).with_columns(pl.col("_at").dt.cast_time_unit("us"))
    test = known.tail(80).sample(fraction=1.0, shuffle=True, seed=1)
    found = earlier(known, test, ["plane"], ["view.x"])
    for asked, value in zip(test.iter_rows(named=True), found["view.x"], strict=True):
        there = known.filter(
            (pl.col("plane") == pl.lit(asked["plane"], pl.String)) & (pl.col("_at") <= asked["_at"] - timedelta(days=1))
        )
        last = there.filter(pl.col("_at") == there["_at"].max())["view.x"].to_list() if len(there) else []
        assert value in last if last else value is None
