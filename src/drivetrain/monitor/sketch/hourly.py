"""Sketches of every hour at once: one row each hour and column."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import HOUR
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.column import Column
from drivetrain.monitor.sketch.sketch import FEWEST

ROWS = pl.Schema(
    {
        "version": pl.Int64(),
        "hour": pl.Int64(),
        "feature": pl.String(),
        "rows": pl.Int64(),
        "counts": pl.Binary(),
        "infinite": pl.Int64(),
        "described": pl.Int64(),
        "mean": pl.Float64(),
        "squares": pl.Float64(),
        "kept": pl.Boolean(),
    }
)
"""``hour`` is its first microsecond; ``counts`` holds little-endian int64; ``kept`` says if its rows still are."""
KEYS = ("version", "hour", "feature")


def hourly_sketches(column: Column, values: Floats, ats: npt.NDArray[np.int64], version: int) -> pl.DataFrame:
    """A column's sketches, hour by hour, as rows of schema :data:`ROWS`.

    Args:
        column: Whose bins.
        values: Encoded values, shape (n,).
        ats: Moment of each, microseconds.
        version: Who answered them.
    """
    hours, at = np.unique(ats // HOUR, return_inverse=True)
    many, width = len(hours), column.width
    cells = np.bincount(at * width + column.place(values), minlength=many * width).reshape(many, width)
    finite = np.isfinite(values)
    known = np.bincount(at, finite, many)
    told = np.where((known >= FEWEST) & (column.type != "category"), known, 0)
    safe = np.where(finite, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(told > 0, np.bincount(at, safe, many) / known, 0.0)
    squares = np.bincount(at, np.where(finite, (safe - means[at]) ** 2, 0.0), many)
    counts = np.ascontiguousarray(cells, "<i8")
    return pl.DataFrame(
        {
            "version": np.full(many, version),
            "hour": hours * HOUR,
            "feature": [column.name] * many,
            "rows": cells.sum(axis=1),
            "counts": [row.tobytes() for row in counts],
            "infinite": np.bincount(at, np.isinf(values), many).astype(np.int64),
            "described": told.astype(np.int64),
            "mean": means,
            "squares": np.where(told > 0, squares, 0.0),
            "kept": np.ones(many, np.bool_),
        },
        schema=ROWS,
    )
