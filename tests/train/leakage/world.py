"""Training sets without a leak, of many shapes, and the ways to plant one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.core.records.run import LeakageFinding
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.leakage.look import look_for_leaks
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.split import Splitter, TimeSplit
from train.world import moment

BEGIN = micros_of("2013-01-01")
DAYS = 100
AS_OF = BEGIN + DAYS * DAY
SPLIT = TimeSplit(test="20d", valid="20d")

SHAPES = ("even", "rare", "very rare", "heavy tails", "ties", "classes", "number", "heavy number", "few rows", "trend")


def honest(shape: str, seed: int, rows: int = 3_000) -> pl.DataFrame:
    """A training set in which every feature was known when it is read, and none tells the label but by chance and law.

    Args:
        shape: One of :data:`SHAPES`.
        seed: Another seed, another set.
        rows: How many.
    """
    chance = np.random.default_rng([seed, SHAPES.index(shape)])
    rows = {"few rows": 150, "very rare": 6_000}.get(shape, rows)
    drawn: dict[str, Any] = {f"f.plain{at}": chance.normal(size=rows) for at in range(4)}
    drawn["f.tail"] = chance.standard_cauchy(rows)
    drawn["f.skew"] = chance.lognormal(0.0, 2.0, rows)
    drawn["f.count"] = chance.poisson(3.0, rows)
    drawn["f.cents"] = (chance.lognormal(8.0, 1.0, rows)).astype(np.int64)
    drawn["f.flag"] = chance.random(rows) < 0.1
    drawn["f.carrier"] = chance.choice(["AA", "B6", "UA", "VX"], rows, p=[0.5, 0.3, 0.15, 0.05])
    drawn["f.tail_number"] = chance.choice([f"N{number}" for number in range(400)], rows)
    if shape == "ties":
        for name in ("f.plain0", "f.plain1", "f.tail", "f.skew"):
            drawn[name] = np.round(np.clip(drawn[name], -3, 3))
    # What a feature honestly tells: alone a ROC AUC of .80 or so at most.
    signal = 1.1 * drawn["f.plain0"] + 0.5 * drawn["f.plain1"] + 0.4 * drawn["f.flag"]
    signal = signal + 0.6 * (drawn["f.carrier"] == "UA") + 0.3 * np.tanh(drawn["f.tail"])
    at = BEGIN + np.sort(chance.integers(0, DAYS * DAY, rows))
    if shape == "trend":
        day = (at - BEGIN) / DAY
        signal = signal + day / 50 - 1
        drawn["f.plain2"] = drawn["f.plain2"] + day / 10
    level = {"rare": -4.0, "very rare": -7.0}.get(shape, -0.5)
    noise = chance.logistic(size=rows)
    margin = signal + noise + level
    if shape == "classes":
        label = np.digitize(margin, [-1.5, 0.0, 1.5, 3.5]).astype(float)
    elif shape == "number":
        label = margin
    elif shape == "heavy number":
        label = signal + 2 * chance.standard_t(1.5, rows)
    else:
        label = (margin > 0).astype(float)
    wait = chance.gamma(2.0, 3.0 * HOUR, rows).astype(np.int64)
    frame = pl.DataFrame(
        {
            "_entity": [f"row {place}" for place in range(rows)],
            "_at": moment(at),
            "_label": pl.Series(label),
            "_label_at": moment(at + wait),
        }
        | drawn
    )
    # Nulls by chance, in features and labels.
    holes = chance.random((rows, 2)) < (0.05, 0.02)
    return frame.with_columns(
        pl.when(pl.Series(~holes[:, 0])).then("f.plain3").alias("f.plain3"),
        pl.when(pl.Series(~holes[:, 0])).then("f.carrier").alias("f.carrier"),
        pl.when(pl.Series(~holes[:, 1])).then("_label").alias("_label"),
    )


def features_of(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if not name.startswith("_")]


def look(
    frame: pl.DataFrame,
    *,
    split: Splitter = SPLIT,
    rules: Leakage = Leakage(),
    preparing: Preparing = Preparing(),
    change: Callable[[TrainingRows], TrainingRows] = lambda rows: rows,
) -> Sequence[LeakageFinding]:
    """What is found in a training set."""
    rows = TrainingRows.cut(frame, features_of(frame), split, AS_OF, needs_valid=False, preparing=preparing)
    return look_for_leaks(frame, change(rows), groups=split.groups, rules=rules)
