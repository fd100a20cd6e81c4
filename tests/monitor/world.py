"""A stream of weeks: inputs whose weeks may share a level, predictions, labels, and the logs of an endpoint."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY
from drivetrain.core.records import Field, InputSchema

START = 15_706 * DAY  # a Tuesday, 1 January 2013
CARRIERS = tuple("abcdefghij")
SCHEMA = InputSchema(
    (*(Field(f"x{at}") for at in range(6)), Field("carrier", "category", CARRIERS), Field("night", "boolean"))
)
LOG = {
    "request_id": pl.String,
    "row": pl.Int64,
    "endpoint": pl.String,
    "at": pl.Int64,
    "logged_at": pl.Int64,
    "model": pl.String,
    "version": pl.Int64,
    "role": pl.String,
    "entity": pl.String,
    "values": pl.List(pl.Float64),
    "ages": pl.List(pl.Float64),
    "prediction": pl.Float64,
    "latency_us": pl.Int64,
}
FEEDBACK = {
    "endpoint": pl.String,
    "request_id": pl.String,
    "row": pl.Int64,
    "entity": pl.String,
    "label": pl.Float64,
    "at": pl.Int64,
    "logged_at": pl.Int64,
}


def stream(
    seed: int, weeks: int, rows: int, *, level: float = 0.0, heavy: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, predictions and moments; every week has levels and a mix of carriers of its own, as far as ``level``."""
    random = np.random.default_rng(seed)
    week = np.repeat(np.arange(weeks), rows)
    total = weeks * rows
    columns = []
    for at in range(6):
        noise = random.standard_t(2, total) if heavy and at % 2 else random.normal(size=total)
        columns.append(noise + random.normal(0, level * at / 5, weeks)[week])
    columns[2] = np.round(columns[2] * 2)
    columns[3] = np.where(random.random(total) < 0.02, np.nan, columns[3])
    shares = np.array([0.5, 0.3, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.003, 0.002])
    mix = shares * np.exp(random.normal(0, level * 0.3, (weeks, 10)))
    mix = (mix / mix.sum(axis=1, keepdims=True)).cumsum(axis=1)
    carrier = (random.random(total)[:, None] > mix[week]).sum(axis=1).clip(0, 9)
    values = np.column_stack([*columns, carrier, random.random(total) < 0.2]).astype(float)
    ats = START + week * 7 * DAY + random.integers(0, 7 * DAY, total)
    return values, 1 / (1 + np.exp(-np.clip(columns[0] - 1, -30, 30))), ats


def logs(
    values: np.ndarray, predictions: np.ndarray, ats: np.ndarray, labels: np.ndarray
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The endpoint ``late``'s prediction log and, by entity, all of its feedback."""
    rows = len(ats)
    log = pl.DataFrame(
        {
            "request_id": [f"r{at}" for at in range(rows)],
            "row": 0,
            "endpoint": "late",
            "at": ats,
            "logged_at": ats,
            "model": "late",
            "version": 1,
            "role": "champion",
            "entity": [f"e{at}" for at in range(rows)],
            "values": values.tolist(),
            "ages": [[60.0, float("nan")]] * rows,
            "prediction": predictions,
            "latency_us": np.arange(rows) % 1000,
        },
        schema=LOG,
    )
    feedback = pl.DataFrame(
        {
            "endpoint": "late",
            "request_id": "",
            "row": 0,
            "entity": log["entity"],
            "label": labels,
            "at": ats + DAY // 4,
            "logged_at": ats + DAY // 4,
        },
        schema=FEEDBACK,
    )
    return log, feedback
