"""The report on strains: each is put on the same drawn rows, and the fall of the metric is paired with none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Measure, RobustnessReport, Strain
from drivetrain.core.records.robustness import StrainKind
from drivetrain.evaluate.bootstrap import Bootstrap, Draws, difference, draw
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.report import Subject
from drivetrain.evaluate.robustness.figure import KNOWN, figure_of
from drivetrain.evaluate.robustness.shift import trend_weights, worth

MOST_ROWS = 2_000
MOST_FEATURES = 10
"""Features that are tried one at a time: those that the model leans on most."""
NOISE = 0.1
"""Standard deviations of a number that noise adds to it."""

Ask: TypeAlias = Callable[[pl.DataFrame, Mapping[str, pl.Series]], Floats]
"""Rows, and columns to change in them → predictions."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Strained:
    """What is strained.

    Attributes:
        rows: Test rows with fields and features.
        labels: 0 or 1, shape (n,).
        ats: Moment of each row, microseconds UTC, shape (n,).
        ask: Asks the model.
        features: The model's features, those it leans on most first.
        views: View → its features, of those that are looked up.
        stale: View → its features' values as they stood a day or more earlier, n rows; null where nothing was known.
        before: Rows that were learned from, for the shift; none leaves it out.
    """

    rows: pl.DataFrame
    labels: Floats
    ats: np.ndarray
    ask: Ask
    features: Sequence[str]
    views: Mapping[str, Sequence[str]]
    stale: Mapping[str, pl.DataFrame]
    before: pl.DataFrame | None = None


def robustness(
    strained: Strained,
    *,
    subject: Subject,
    metric: str,
    bootstrap: Bootstrap = Bootstrap(replicates=200),
    now: Micros | None = None,
) -> RobustnessReport:
    """Puts every strain on a sample of the test rows.

    Args:
        strained: What is strained.
        subject: What is looked at, and on what.
        metric: What is measured; ROC AUC where it can't be told of weighted rows.
        bootstrap: How intervals are made.
        now: The record's moment; the present by default.
    """
    name = metric if metric in KNOWN else "roc_auc"
    random = np.random.default_rng(bootstrap.seed)
    drawn = np.arange(strained.rows.height)
    if len(drawn) > MOST_ROWS:
        drawn = np.sort(random.choice(drawn, MOST_ROWS, replace=False))
    rows, labels = strained.rows[drawn.tolist()], strained.labels[drawn]
    resamples = draw(np.asarray(strained.ats[drawn], np.int64), bootstrap)

    def measured(predictions: Floats, weights: Floats | None = None) -> Draws:
        return figure_of(name, labels, predictions, resamples, weights)

    said = strained.ask(rows, {})
    whole = measured(said)
    found: list[tuple[StrainKind, str, float, Draws]] = []
    untried: list[str] = []
    for kind, of, share, changes in _changes(strained, rows, drawn, random):
        try:
            found.append((kind, of, share, measured(strained.ask(rows, changes))))
        except UsageError as error:
            untried.append(f"{kind} of {of}: {error}")
    if strained.before is not None and strained.before.height:
        weights = trend_weights(_sample(strained.before, random), rows.select(strained.features))
        if weights is not None:
            found.append(
                ("shift", "rows change as they did since training, once more", worth(weights), measured(said, weights))
            )
    many = {kind: sum(each[0] == kind for each in found) for kind, *_ in found}
    return RobustnessReport(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        since=int(strained.ats.min()) if subject.since is None else subject.since,
        until=int(strained.ats.max()) + 1 if subject.until is None else subject.until,
        rows=rows.height,
        of=strained.rows.height,
        metric=name,
        whole=whole.measure(METRICS[name], bootstrap.level),
        strains=tuple(
            Strain(
                what=kind,
                of=of,
                figure=draws.value,
                fall=_fall(whole, draws, name, 1.0 - (1.0 - bootstrap.level) / many[kind]),
                changed=share,
            )
            for kind, of, share, draws in found
        ),
        untried=tuple(untried),
    )


def _changes(
    strained: Strained, rows: pl.DataFrame, drawn: np.ndarray, random: np.random.Generator
) -> Iterator[tuple[StrainKind, str, float, dict[str, pl.Series]]]:
    """Every strain but the shift: what, of what, the share of rows that it changes, and the columns as they become."""
    features = [name for name in strained.features if name in rows.columns][:MOST_FEATURES]
    for name in features:
        column = rows.get_column(name)
        yield "shuffled", name, 1.0, {name: column[random.permutation(len(column)).tolist()]}
    for name in features:
        column = rows.get_column(name)
        yield "missing", name, 1.0 - column.null_count() / len(column), {name: _nothing(column)}
    for view, names in strained.views.items():
        known = [rows.get_column(name) for name in names if name in rows.columns]
        if known:
            yield "view missing", view, 1.0, {column.name: _nothing(column) for column in known}
    for view, values in strained.stale.items():
        there = values[drawn.tolist()]
        now = rows.select(there.columns)
        moved = float(_differ(now, there).to_numpy().mean())
        yield "stale", view, moved, {column.name: column for column in there.iter_columns()}
    numbers = {
        name: _noisy(rows.get_column(name), random)
        for name in strained.features
        if name in rows.columns and rows.get_column(name).dtype.is_float()
    }
    if numbers:
        yield "noise", f"every number wobbles by {NOISE:g} of its standard deviation", 1.0, numbers


def _fall(whole: Draws, draws: Draws, name: str, level: float) -> Measure:
    gap = difference(whole, draws, METRICS[name])
    bounds = gap.interval("line", level)
    low, high = bounds if bounds is not None else (None, None)
    return Measure(gap.value, low, high, gap.count, level)


def _nothing(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, [None] * len(column), dtype=column.dtype)


def _noisy(column: pl.Series, random: np.random.Generator) -> pl.Series:
    spread = column.fill_nan(None).std()
    wide = float(spread) if isinstance(spread, float) else 0.0
    return (column + pl.Series(random.normal(size=len(column)) * NOISE * wide)).alias(column.name)


def _differ(now: pl.DataFrame, then: pl.DataFrame) -> pl.Series:
    """Where any value is another."""
    marks = [now.get_column(name).ne_missing(then.get_column(name)) for name in now.columns]
    return pl.select(pl.any_horizontal(marks)).to_series()


def _sample(rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    if rows.height <= MOST_ROWS:
        return rows
    drawn: list[int] = np.sort(random.choice(rows.height, MOST_ROWS, replace=False)).tolist()
    return rows.select(pl.all().gather(drawn))
