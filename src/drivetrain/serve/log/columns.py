"""The log as frames: one row per answered instance, one per label that came, one per instance that was explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.records import Explanation, Feedback, Prediction

_TIME = pl.Datetime("us", "UTC")

PREDICTIONS = pl.Schema(
    {
        "request_id": pl.String(),
        "row": pl.Int64(),
        "endpoint": pl.String(),
        "at": _TIME,
        "logged_at": _TIME,
        "model": pl.String(),
        "version": pl.Int64(),
        "role": pl.String(),
        "entity": pl.String(),
        "request": pl.String(),
        "values": pl.List(pl.Float64()),
        "ages": pl.List(pl.Float64()),
        "prediction": pl.Float64(),
        "scores": pl.List(pl.Float64()),
        "latency_us": pl.Int64(),
        "experiment": pl.String(),
        "arm": pl.String(),
        "probability": pl.Float64(),
        "failed": pl.Int64(),
        "weight": pl.Float64(),
    }
)
"""``prediction`` is null and ``scores`` is not where a model answers one number per class."""

FEEDBACK = pl.Schema(
    {
        "endpoint": pl.String(),
        "request_id": pl.String(),
        "row": pl.Int64(),
        "entity": pl.String(),
        "label": pl.Float64(),
        "at": _TIME,
        "logged_at": _TIME,
        "names": pl.List(pl.String()),
    }
)
"""``names`` holds the class or the labels that came where ``label`` is no number; tables from before have none."""


_LATER = {"experiment": "", "arm": "", "probability": 1.0, "failed": 0, "weight": 1.0}
"""Columns that older tables lack, and what was meant."""

EXPLANATIONS = pl.Schema(
    {
        "request_id": pl.String(),
        "row": pl.Int64(),
        "endpoint": pl.String(),
        "at": _TIME,
        "logged_at": _TIME,
        "model": pl.String(),
        "version": pl.Int64(),
        "unit": pl.String(),
        "method": pl.String(),
        "prediction": pl.Float64(),
        "scores": pl.List(pl.Float64()),
        "base": pl.List(pl.Float64()),
        "contributions": pl.List(pl.Float64()),
    }
)
"""``base`` holds one number, or one a class; ``contributions`` one a field for the first of them, then for the next."""


def predictions_table(endpoint: str) -> str:
    """Name of the table that holds an endpoint's predictions."""
    return f"log/{endpoint}/predictions"


def feedback_table(endpoint: str) -> str:
    """Name of the table that holds the labels that came for an endpoint."""
    return f"log/{endpoint}/feedback"


def explanations_table(endpoint: str) -> str:
    """Name of the table that holds the explanations of an endpoint's predictions."""
    return f"log/{endpoint}/explanations"


def predictions_frame(entries: Sequence[Prediction]) -> pl.DataFrame:
    """Predictions as a frame of schema :data:`PREDICTIONS`, in the order given."""
    columns: dict[str, list[Any]] = {
        name: [getattr(entry, name) for entry in entries]
        for name in PREDICTIONS
        if name not in {"request", "prediction", "scores", "values", "ages"}
    }
    columns["request"] = [bytes(entry.request).decode() for entry in entries]
    lists = {name: _lists([getattr(entry, name) for entry in entries]) for name in ("values", "ages")}
    columns["prediction"] = [entry.prediction if isinstance(entry.prediction, float) else None for entry in entries]
    columns["scores"] = [entry.prediction if isinstance(entry.prediction, list) else None for entry in entries]
    whole = columns | lists
    return pl.DataFrame({name: whole[name] for name in PREDICTIONS}, schema=PREDICTIONS)


def _lists(rows: list[list[float]]) -> pl.Series:
    """A list column; rows of one length, the usual case, go through one matrix, twenty times as fast."""
    widths = {len(row) for row in rows}
    width = widths.pop() if len(widths) == 1 else 0
    if not width:
        return pl.Series(rows, dtype=pl.List(pl.Float64()))
    return pl.Series(np.array(rows, dtype=np.float64), dtype=pl.Array(pl.Float64(), width)).arr.to_list()


def feedback_frame(entries: Sequence[Feedback]) -> pl.DataFrame:
    """Feedback as a frame of schema :data:`FEEDBACK`, in the order given."""
    return pl.DataFrame({name: [getattr(entry, name) for entry in entries] for name in FEEDBACK}, schema=FEEDBACK)


def explanations_frame(entries: Sequence[Explanation]) -> pl.DataFrame:
    """Explanations as a frame of schema :data:`EXPLANATIONS`, in the order given."""
    columns: dict[str, list[Any]] = {
        name: [getattr(entry, name) for entry in entries]
        for name in EXPLANATIONS
        if name not in {"prediction", "scores", "contributions"}
    }
    columns["prediction"] = [entry.prediction if isinstance(entry.prediction, float) else None for entry in entries]
    columns["scores"] = [entry.prediction if isinstance(entry.prediction, list) else None for entry in entries]
    columns["contributions"] = [[one for output in entry.contributions for one in output] for entry in entries]
    return pl.DataFrame({name: columns[name] for name in EXPLANATIONS}, schema=EXPLANATIONS)


def predictions_of(frame: pl.DataFrame) -> list[Prediction]:
    """The records of a frame of schema :data:`PREDICTIONS`; of rows logged before there were experiments, too."""
    later = {name: frame[name].fill_null(default) for name, default in _LATER.items() if name in frame.columns}
    times = [pl.col("at", "logged_at").dt.epoch("us")]
    return [
        Prediction(
            request=msgspec.Raw(row.pop("request").encode()),
            prediction=scores if (scores := row.pop("scores")) is not None else row.pop("prediction"),
            **{name: value for name, value in row.items() if name != "prediction"},
        )
        for row in frame.with_columns(times, **later).iter_rows(named=True)
    ]
