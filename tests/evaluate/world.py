"""Predictions and labels whose days share their luck, with a known truth."""

from __future__ import annotations

import numpy as np

from drivetrain.core.clock import DAY


def days_of_rows(
    seed: int, days: int, rows: int, *, shared: float = 0.6, quality: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, predictions and moments; ``shared`` is how far a day as a whole lies above or below its forecast."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    forecast = -1.2 + quality * random.normal(size=days * rows)
    truth = forecast + shared * random.normal(size=days)[day]
    labels = (random.random(days * rows) < 1 / (1 + np.exp(-truth))).astype(float)
    ats = day * DAY + random.integers(0, DAY, days * rows)
    return labels, 1 / (1 + np.exp(-forecast)), ats
