"""Rows in time in which nothing changes, dealt one by one or hanging together from hour to hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.records import DataReport
from drivetrain.monitor.tables.assess import Material, assess
from drivetrain.monitor.tables.spans import spans_of
from drivetrain.monitor.tables.spec import DataMonitor

DAYS = 63


@dataclass(frozen=True)
class World:
    moments: np.ndarray
    available: np.ndarray
    rows: pl.DataFrame

    def seen(self, monitor: DataMonitor, *, masked: frozenset[str] = frozenset()) -> DataReport:
        """The last window."""
        spans = spans_of(monitor, DAYS * DAY - monitor.window_us, int(self.moments[0]) // DAY * DAY)
        held = spans.known(self.moments, self.available, monitor.wait_us)
        mask = pl.Series(held)
        material = Material(
            self.moments[held],
            self.available[held],
            dict(self.rows.schema),
            lambda name: self.rows[name].filter(mask),
            masked,
        )
        return assess(monitor, spans, material)


def watch(**asked: object) -> DataMonitor:
    return DataMonitor(watched="table:t", table="t", **asked)


def world(seed: int, *, alike: float = 0.0, a_day: int = 100) -> World:
    """Nine weeks of rows, more at weekends.

    Args:
        seed: Where they come from.
        alike: Correlation of a column's level from one hour to the next; half of a row's variance is its own.
        a_day: How many a day, about.
    """
    dice = np.random.default_rng(seed)
    many = [int(dice.poisson(a_day * (1.3 if day % 7 >= 5 else 1))) for day in range(DAYS)]
    moments = np.concatenate(
        [np.sort(dice.integers(0, DAY, count)) + day * DAY for day, count in enumerate(many)]
    ).astype(np.int64)
    hours = (moments // HOUR).astype(np.intp)

    def level() -> np.ndarray:
        if not alike:
            return dice.normal(size=len(moments))
        steps = dice.normal(size=DAYS * 24) * np.sqrt(1 - alike**2)
        steps[0] = dice.normal()
        for at in range(1, len(steps)):
            steps[at] += alike * steps[at - 1]
        return np.sqrt(0.5) * steps[hours] + np.sqrt(0.5) * dice.normal(size=len(moments))

    gaps = pl.Series(level() > 1.3)
    rows = pl.DataFrame(
        {
            "normal": level(),
            "skewed": np.exp(1.2 * level()),
            "whole": np.floor(np.exp(0.5 * level() + 1)),
            "pareto": dice.pareto(1.0, len(moments)),
            "rare": level() > 2.3,
            "even": level() > 0,
            "kind": np.array(["a", "b", "c", "d", "e"])[np.digitize(level(), [-1, 0, 0.5, 1.8])],
            "many": [f"u{value}" for value in dice.zipf(1.3, len(moments)) % 5_000],
            "gaps": pl.Series(level()).set(gaps, None),
        }
    )
    return World(moments, (moments + np.exp(0.5 * level()) * HOUR).astype(np.int64), rows)
