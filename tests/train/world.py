"""A small training set in which something can be learned, and a fit of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR, Micros, micros_of
from drivetrain.core.progress import Silent
from drivetrain.core.records import Run
from drivetrain.store.bundle import Store
from drivetrain.train.baselines import HistoricalRate
from drivetrain.train.fit import fit
from drivetrain.train.split import TimeSplit
from drivetrain.train.trainers import LightGBM
from drivetrain.train.tune import Tune

BEGIN = micros_of("2013-01-01")
AS_OF = BEGIN + 100 * DAY
FEATURES = ("plane.delay", "request.carrier", "weather.wind", "request.night")
SPLIT = TimeSplit(test="20d", valid="20d")


def moment(micros: np.ndarray | list[Micros]) -> pl.Series:
    return pl.Series(micros, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def training_set(rows: int = 2_000, seed: int = 0) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    delay = chance.normal(10, 30, rows)
    carrier = chance.choice(["AA", "B6", "UA"], rows)
    wind = chance.gamma(2, 5, rows)
    margin = delay / 20 + wind / 10 + 1.5 * (carrier == "UA") - 3
    at = BEGIN + (np.arange(rows) * 100 * DAY) // rows
    return pl.DataFrame(
        {
            "_entity": [f"flight-{number}" for number in range(rows)],
            "_at": moment(at),
            "_label": (chance.random(rows) < 1 / (1 + np.exp(-margin))).astype(float),
            "_label_at": moment(at + 6 * HOUR),
            "plane.delay": pl.Series(delay),
            "request.carrier": carrier,
            "weather.wind": wind,
            "request.night": chance.random(rows) < 0.3,
        }
    ).with_columns(pl.when(pl.int_range(rows) % 11 > 0).then("plane.delay").alias("plane.delay"))


def train(store: Store, frame: pl.DataFrame | None = None, **changes: Any) -> Run:
    task: dict[str, Any] = {
        "model": "late",
        "frame": training_set() if frame is None else frame,
        "features": FEATURES,
        "trainer": LightGBM(num_iterations=20),
        "split": SPLIT,
        "tune": None,
        "baselines": {"rate by carrier": HistoricalRate(by=["request.carrier"])},
        "as_of": AS_OF,
        "training_set": "table:training/late@3",
        "code": "c" * 32,
        "seed": 1,
        "threads": 1,
        "progress": Silent(),
    }
    return fit(store, **(task | changes))


__all__ = ["AS_OF", "BEGIN", "FEATURES", "SPLIT", "Tune", "moment", "train", "training_set"]
