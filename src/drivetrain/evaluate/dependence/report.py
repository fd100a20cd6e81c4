"""Partial dependence (Friedman, 2001): rows asked again with one feature set to the same value in all of them.

It says how the model answers, not what causes the outcome; and where no row lies near a point, it says what the model
makes up. Each point therefore carries the share of rows that lie nearest it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Dependence, DependencePoint, DependenceReport
from drivetrain.evaluate.bootstrap import Bootstrap, Draws, draw
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.report import Subject

MOST_ROWS = 500
MOST_FEATURES = 5
POINTS = 9
MOST_EXPLAINED = 200
"""Rows whose answers are taken apart: a tree's contributions take milliseconds a row."""
_LOWEST, _HIGHEST = 0.05, 0.95

Ask: TypeAlias = Callable[[pl.DataFrame, Mapping[str, pl.Series]], Floats]
"""Rows, and columns to change in them → predictions."""
Explain: TypeAlias = Callable[[pl.DataFrame], dict[str, float]]
"""Rows → feature and the share of what moved their answers."""


def dependence(
    rows: pl.DataFrame,
    ats: np.ndarray,
    features: Sequence[str],
    ask: Ask,
    *,
    subject: Subject,
    explain: Explain | None = None,
    bootstrap: Bootstrap = Bootstrap(replicates=200),
    now: Micros | None = None,
) -> DependenceReport:
    """Asks rows again for each point of each feature.

    Args:
        rows: Test rows with fields and features.
        ats: Moment of each, microseconds UTC, shape (n,).
        features: Those to look at, the most important first.
        ask: Asks the model.
        subject: What is looked at, and on what.
        explain: Tells which features moved the answers to rows, as :func:`moved` does; nothing is told without it.
        bootstrap: How intervals are made, of days.
        now: The record's moment; the present by default.
    """
    drawn = np.arange(rows.height)
    if rows.height > MOST_ROWS:
        drawn = np.sort(np.random.default_rng(bootstrap.seed).choice(rows.height, MOST_ROWS, replace=False))
    some = rows[drawn.tolist()]
    resamples = draw(np.asarray(ats[drawn], np.int64), bootstrap)
    weight = resamples.sums(np.ones(some.height))[:, 0]

    def said(column: pl.Series, value: object, near: float) -> DependencePoint:
        every = pl.Series(column.name, [value]).cast(column.dtype).new_from_index(0, some.height)
        means = resamples.sums(ask(some, {column.name: every}))[:, 0] / np.where(weight > 0, weight, np.nan)
        draws = Draws(float(means[0]), means[1:], some.height, resamples.blocks)
        told = f"{value:.4g}" if isinstance(value, float) else str(value)
        return DependencePoint(told, draws.measure(METRICS["mean_prediction"], bootstrap.level), near)

    found = []
    for name in [name for name in features if name in some.columns][:MOST_FEATURES]:
        column = some.get_column(name)
        number = column.dtype.is_numeric()
        points = _numbers(column) if number else _values(column)
        if len(points) < 2:
            continue
        try:
            told = tuple(said(column, value, near) for value, near in points)
        except UsageError:
            continue  # the report on robustness says why this feature can't be changed
        found.append(Dependence(name, told, number))
    return DependenceReport(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        rows=some.height,
        features=tuple(found),
        moved={} if explain is None else explain(some.head(MOST_EXPLAINED)),
    )


def _numbers(column: pl.Series) -> list[tuple[float, float]]:
    """Points between the 5th and the 95th percentile, and the share of rows nearest each."""
    known = column.cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()
    if not len(known):
        return []
    low, high = np.quantile(known, [_LOWEST, _HIGHEST])
    distinct = np.unique(known)
    points = distinct if len(distinct) <= POINTS else np.linspace(low, high, POINTS)
    if column.dtype.is_integer():
        points = np.unique(points.round())
    nearest = np.abs(known[:, None] - points[None, :]).argmin(axis=1)
    shares = np.bincount(nearest, minlength=len(points)) / len(column)
    return [(float(value), float(near)) for value, near in zip(points, shares, strict=True)]


def _values(column: pl.Series) -> list[tuple[object, float]]:
    counts = column.drop_nulls().alias("value").value_counts(name="rows").sort(["rows", "value"], descending=True)
    return [(value, many / len(column)) for value, many in counts.head(POINTS).iter_rows()]
