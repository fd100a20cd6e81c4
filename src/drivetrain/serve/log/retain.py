"""Retention: rows of the log's tables that are older than they may be are deleted."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import Micros, datetime_of, iso
from drivetrain.serve.log.columns import explanations_table, feedback_table, predictions_table
from drivetrain.store.bundle import Store


def retain(store: Store, endpoint: str, before: Micros) -> int:
    """Deletes what an endpoint logged for moments before ``before``; how many rows.

    Earlier versions of the tables still hold them until their files are cleaned up, as every table's do.

    Raises:
        StoreError: A table can't be written.
    """
    gone = 0
    for table in (predictions_table(endpoint), feedback_table(endpoint), explanations_table(endpoint)):
        if store.tables.version(table) is None:
            continue
        old = store.tables.scan(table).filter(pl.col("at") < datetime_of(before)).select(pl.len()).collect().item()
        if old:
            store.tables.delete(table, f"at < '{iso(before)}'")
            gone += int(old)
    return gone
