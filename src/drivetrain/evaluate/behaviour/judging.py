"""Behaviours tried on test rows: how many go against them, and the one that does so most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import UsageError
from drivetrain.core.records import BehaviourOutcome, BehaviourReport, Example
from drivetrain.evaluate.behaviour.spec import Behaviour, Direction, Invariance, Minimum
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.measures import measures, resample
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.report import Subject
from drivetrain.evaluate.slices import MIN_OF_A_CLASS, MIN_ROWS
from drivetrain.evaluate.wording import figure, figures, percent
from drivetrain.features.expression import in_words

MOST_ROWS = 5_000
"""Rows that a change is tried on; of more, so many are drawn."""
MOST_VALUES = 10

Ask: TypeAlias = Callable[[pl.DataFrame, Mapping[str, pl.Series]], Floats]
"""Rows, and columns to change in them → predictions."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tried:
    """What behaviours are tried on.

    Attributes:
        rows: Test rows with fields and features.
        labels: 0 or 1, shape (n,).
        predictions: The model's answers to them, shape (n,).
        ats: Moment of each, microseconds UTC, shape (n,).
        ask: Asks the model.
        personal: Columns whose values are not told.
    """

    rows: pl.DataFrame
    labels: Floats
    predictions: Floats
    ats: np.ndarray
    ask: Ask
    personal: frozenset[str] = frozenset()


def behave(
    behaviours: Sequence[Behaviour], tried: Tried, *, subject: Subject, seed: int = 0, now: Micros | None = None
) -> BehaviourReport:
    """Tries every behaviour.

    Args:
        behaviours: What is expected.
        tried: What it is tried on.
        subject: What is looked at, and on what.
        seed: Of the rows that are drawn.
        now: The record's moment; the present by default.
    """
    many = tried.rows.height
    drawn = np.arange(many)
    if many > MOST_ROWS:
        drawn = np.sort(np.random.default_rng(seed).choice(many, MOST_ROWS, replace=False))
    some = tried.rows[drawn.tolist()]
    before = tried.predictions[drawn]
    return BehaviourReport(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        rows=many,
        outcomes=tuple(
            _minimum(each, tried) if isinstance(each, Minimum) else _changed(each, tried, some, before)
            for each in behaviours
        ),
    )


def _changed(behaviour: Invariance | Direction, tried: Tried, rows: pl.DataFrame, before: Floats) -> BehaviourOutcome:
    column = rows.get_column(behaviour.column)
    check: Literal["invariance", "direction"] = "invariance" if isinstance(behaviour, Invariance) else "direction"
    changes = _values(behaviour, column) if isinstance(behaviour, Invariance) else _grown(behaviour, column)
    known = column.is_not_null().to_numpy() if check == "direction" else np.ones(rows.height, np.bool_)
    if not known.any() or not changes:
        reason = f"No: {behaviour.name} can't be tried: the test rows hold no value to change."
        return BehaviourOutcome(
            name=behaviour.name, check=check, passed=False, rows=0, expected=behaviour.at_least, reason=reason
        )
    try:
        worst, after, became = _worst(behaviour, tried, rows, before, changes)
    except UsageError as error:
        reason = f"No: {behaviour.name} can't be tried: {error}"
        return BehaviourOutcome(
            name=behaviour.name, check=check, passed=False, rows=0, expected=behaviour.at_least, reason=reason
        )
    wrong = known & (worst > behaviour.within + 1e-12)
    rows_tried, broken = int(known.sum()), int(wrong.sum())
    share = 1.0 - broken / rows_tried
    passed = share >= behaviour.at_least
    example = None
    if broken:
        at = int(np.argmax(np.where(known, worst, -np.inf)))
        told = [column[at], changes[int(became[at])][at]]
        was, to = ("(not told)",) * 2 if behaviour.column in tried.personal else map(_text, told)
        example = Example(float(before[at]), float(after[at]), was, to)
    reason = (
        f"{'Yes' if passed else 'No'}: {behaviour.name} in {percent(share)} of {rows_tried:,} rows; asked for in "
        f"{percent(behaviour.at_least)}."
    )
    if example is not None:
        reason += (
            f" In one row {example.was} → {example.became} moves {figure(example.before)} to {figure(example.after)}."
        )
    return BehaviourOutcome(
        name=behaviour.name,
        check=check,
        passed=passed,
        rows=rows_tried,
        broken=broken,
        expected=behaviour.at_least,
        reason=reason,
        example=example,
    )


def _worst(
    behaviour: Invariance | Direction, tried: Tried, rows: pl.DataFrame, before: Floats, changes: Sequence[pl.Series]
) -> tuple[Floats, Floats, np.ndarray]:
    """Of each row how far the worst change moves its answer against the behaviour, to what, and which change it is."""
    worst = np.full(rows.height, -np.inf)
    after, became = before.copy(), np.zeros(rows.height, np.intp)
    for place, changed in enumerate(changes):
        said = tried.ask(rows, {behaviour.column: changed})
        against = _against(behaviour, before, said)
        more = against > worst
        worst, after = np.where(more, against, worst), np.where(more, said, after)
        became[more] = place
    return worst, after, became


def _against(behaviour: Invariance | Direction, before: Floats, after: Floats) -> Floats:
    """How far each answer moves where it should not."""
    if isinstance(behaviour, Invariance):
        return np.asarray(np.abs(after - before), np.float64)
    return np.asarray(before - after if behaviour.way == "up" else after - before, np.float64)


def _values(behaviour: Invariance, column: pl.Series) -> list[pl.Series]:
    values = list(behaviour.values)
    if not values:
        counts = column.drop_nulls().alias("value").value_counts(name="rows").sort(["rows", "value"], descending=True)
        values = counts.get_column("value").head(MOST_VALUES).to_list()
    return [
        pl.Series(column.name, [value], strict=False).cast(column.dtype).new_from_index(0, len(column))
        for value in values
    ]


def _grown(behaviour: Direction, column: pl.Series) -> list[pl.Series]:
    if not column.dtype.is_numeric():
        return []
    spread = column.cast(pl.Float64).fill_nan(None).std()
    by = behaviour.by if behaviour.by is not None else float(spread) if isinstance(spread, float) else 0.0
    return [(column.cast(pl.Float64) + by).alias(column.name)] if by > 0 else []


def _minimum(behaviour: Minimum, tried: Tried) -> BehaviourOutcome:
    picked = (
        tried.rows.select(behaviour.where.fill_null(value=False).alias("_")).to_series().to_numpy().astype(np.bool_)
    )
    labels = tried.labels[picked]
    count, positives = len(labels), int(labels.sum())
    measure = None
    if count >= MIN_ROWS and min(positives, count - positives) >= MIN_OF_A_CLASS:
        bootstrap = Bootstrap()
        draws = resample(labels, tried.predictions[picked], draw(np.asarray(tried.ats[picked], np.int64), bootstrap))
        measure = measures({behaviour.metric: draws[behaviour.metric]}, bootstrap.level)[behaviour.metric]
    title = METRICS[behaviour.metric].title
    if measure is None or (behaviour.surely and measure.low is None):
        reason = f"No: {behaviour.name} can't be told from {count:,} rows, {positives:,} of them positive."
        passed = False
    else:
        judged = measure.low if behaviour.surely and measure.low is not None else measure.value
        passed = judged >= behaviour.at_least
        worse = "the lower bound of " if behaviour.surely else ""
        reason = (
            f"{'Yes' if passed else 'No'}: {worse}{title} {figures(measure)} on the {count:,} rows where "
            f"{in_words(behaviour.where)} is {'at least' if passed else 'below'} {figure(behaviour.at_least)}."
        )
    return BehaviourOutcome(
        name=behaviour.name,
        check="minimum",
        passed=passed,
        rows=count,
        figure=measure,
        expected=behaviour.at_least,
        reason=reason,
    )


def _text(value: object) -> str:
    return "nothing" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
