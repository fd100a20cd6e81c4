"""Deliveries drawn by chance, for drafts to be made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl


def deliveries(seed: int, count: int = 8, rows: int = 200) -> list[pl.DataFrame]:
    """A day each: moments, their local parts, sums, orders, values that are empty together."""
    draw = np.random.default_rng(seed)
    return [_day(draw, at, rows) for at in range(count)]


def _day(draw: np.random.Generator, at: int, rows: int) -> pl.DataFrame:
    begin = datetime(2024, 3, 5, tzinfo=UTC) + timedelta(days=at)
    seconds = np.sort(draw.integers(0, 86_400, rows))
    net, tax = draw.integers(100, 5_000, rows), draw.integers(5, 900, rows)
    weight = draw.gamma(4.0, 10.0, rows).round(2)
    moments = pl.Series([begin + timedelta(seconds=int(second)) for second in seconds], dtype=pl.Datetime("us", "UTC"))
    local = moments.dt.convert_time_zone("America/New_York")
    frame = pl.DataFrame(
        {
            "id": np.arange(at * rows, (at + 1) * rows),
            "at": moments,
            "year": local.dt.year(),
            "month": local.dt.month(),
            "day": local.dt.day(),
            "hour": local.dt.hour(),
            "net": net,
            "tax": tax,
            "gross": net + tax,
            "weight": weight,
            "gross_weight": weight + draw.uniform(0.1, 30.0, rows).round(2),
            "postage": (weight * draw.uniform(0.98, 1.02, rows)).round(3),
            "kind": draw.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2]),
        }
    )
    empty = pl.Series(draw.random(rows) < 0.2)
    return frame.with_columns(
        back=pl.when(empty).then(None).otherwise(pl.col("net")),
        reason=pl.when(empty).then(None).otherwise(pl.lit("late")),
    )
