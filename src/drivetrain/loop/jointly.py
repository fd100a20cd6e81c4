"""Rows that a version answered before a window, from its log."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros, datetime_of, duration
from drivetrain.monitor.against import AROUND, YEAR, YEARS
from drivetrain.monitor.joint.window import Earlier
from drivetrain.monitor.spec import Monitor
from drivetrain.serve.log.columns import predictions_table
from drivetrain.store.bundle import Store

MOST = 20_000
"""Rows that are read, evenly over the time."""


def earlier_rows(store: Store, monitor: Monitor, version: int, since: Micros, until: Micros) -> Earlier | None:
    """What all features of a window together are held against; none where it is the version's evaluation, or nothing.

    Args:
        store: Where the log is.
        monitor: What is asked.
        version: Who answered.
        since: Start of the window.
        until: Its end.
    """
    asked = monitor.drift
    if asked is None or not asked.joint or asked.reference == "training":
        return None
    if asked.reference == "trailing":
        stretches = [(since - duration(asked.trailing), since)]
    else:
        gone = [YEAR * year for year in range(1, YEARS + 1)]
        stretches = [(since - one - AROUND, until - one + AROUND) for one in gone]
    within = pl.any_horizontal(
        (pl.col("at") >= datetime_of(first)) & (pl.col("at") < datetime_of(last)) for first, last in stretches
    )
    rows = store.tables.scan(predictions_table(monitor.endpoint)).filter(
        within, pl.col("role") == "champion", pl.col("version") == version
    )
    count = int(rows.select(pl.len()).collect().item())
    found = rows.select("at", "values").gather_every(max(-(-count // MOST), 1)).collect().sort("at")
    ats = found["at"].cast(pl.Int64).to_numpy()
    widths = found["values"].list.len().unique().to_list()
    if len(widths) != 1 or not widths[0]:
        return Earlier(None, ats, asked.reference)
    flat = found["values"].explode().cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return Earlier(np.ascontiguousarray(flat.reshape(len(found), widths[0])), ats, asked.reference)
