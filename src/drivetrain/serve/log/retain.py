"""Retention: rows of the log's tables that are older than they may be are deleted."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import polars as pl

from drivetrain.core.clock import Micros, datetime_of, iso
from drivetrain.serve.log.columns import explanations_table, feedback_table, predictions_table
from drivetrain.serve.log.compact import alone
from drivetrain.store.bundle import Store


def retain(store: Store, endpoint: str, before: Micros, folder: Path | None = None) -> int:
    """Deletes what an endpoint logged for moments before ``before``; how many rows.

    Args:
        store: Where the tables are.
        endpoint: Whose log.
        before: The moment.
        folder: The log folder of the server: with it, files that hold what was deleted are removed too.

    Raises:
        StoreError: A table can't be written.
    """
    gone = 0
    place = None if folder is None else folder / endpoint
    with alone(place) if place is not None and place.is_dir() else nullcontext():
        for table in (predictions_table(endpoint), feedback_table(endpoint), explanations_table(endpoint)):
            if store.tables.version(table) is None:
                continue
            old = store.tables.scan(table).filter(pl.col("at") < datetime_of(before)).select(pl.len()).collect().item()
            if old:
                store.tables.delete(table, f"at < '{iso(before)}'")
                gone += int(old)
                if folder is not None:
                    store.tables.purge(table)
    return gone
