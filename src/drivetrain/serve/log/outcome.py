"""Finding the label that came for one prediction, in the table or still only in a worker's segments."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from drivetrain.core.records import Feedback, Prediction
from drivetrain.serve.log.columns import feedback_table
from drivetrain.serve.log.read import in_segments
from drivetrain.store.bundle import Store


def find_feedback(store: Store, folder: Path, prediction: Prediction) -> Feedback | None:
    """The label logged last for a prediction, named by its request and row or by its entity; none if none has come.

    Args:
        store: Where the tables are.
        folder: The log folder of the server.
        prediction: Whose label.
    """
    needles = [text.encode() for text in (prediction.request_id, prediction.entity) if text]
    logged = in_segments(folder / prediction.endpoint, needles)
    found = [entry for entry in logged if isinstance(entry, Feedback) and _names(entry, prediction)]
    table = feedback_table(prediction.endpoint)
    if store.tables.version(table) is not None:
        by_request = (pl.col("request_id") == prediction.request_id) & (pl.col("row") == prediction.row)
        by_entity = (pl.col("entity") == prediction.entity) & (pl.col("entity") != "")
        rows = store.tables.scan(table).filter(by_request | by_entity).collect()
        times = rows.with_columns(pl.col("at", "logged_at").dt.epoch("us"))
        found += [Feedback(**row) for row in times.iter_rows(named=True)]
    late_enough = [entry for entry in found if entry.at >= prediction.at]
    return max(late_enough, key=lambda entry: entry.logged_at, default=None)


def _names(entry: Feedback, prediction: Prediction) -> bool:
    if entry.request_id:
        return entry.request_id == prediction.request_id and entry.row == prediction.row
    return bool(entry.entity) and entry.entity == prediction.entity
