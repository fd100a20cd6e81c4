"""Answers for two groups and three regions, with a known truth."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY


def answered(
    seed: int, days: int = 40, rows: int = 60, *, worse: float = 0.0, shared: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, pl.DataFrame]:
    """Labels, scores, moments and attributes.

    Args:
        seed: Of the draw.
        days: How many.
        rows: Of each day.
        worse: How much less the scores tell for sex F: 0 as much as for M, 1 nothing.
        shared: How far the scores of a day lie from where they should, together.
    """
    random = np.random.default_rng(seed)
    many = days * rows
    day = np.repeat(np.arange(days), rows)
    female = random.random(many) < 0.4
    labels = (random.random(many) < 0.3).astype(float)
    told = labels * (1 - worse * female) + shared * random.normal(size=days)[day]
    scores = 1 / (1 + np.exp(-(2 * told - 1.5 + random.normal(size=many))))
    attributes = pl.DataFrame(
        {
            "sex": np.where(female, "F", "M"),
            "region": random.choice(["north", "south", "east"], many, p=[0.5, 0.3, 0.2]),
        }
    )
    return labels, scores, day * DAY + random.integers(0, DAY, many), attributes
