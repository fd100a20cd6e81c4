"""For whom the model is better or worse: the metrics among the rows that share a value of a column."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.errors import UsageError
from drivetrain.core.records import SliceMeasure
from drivetrain.evaluate.bootstrap import Resamples
from drivetrain.evaluate.measures import measures, resample_answers
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.ranked import judged
from drivetrain.evaluate.naming import named

MOST_VALUES = 40
"""Values of a column that are told apart; the rest are one slice."""
MIN_ROWS = 100
MIN_OF_A_CLASS = 10
"""A slice with fewer rows, fewer of either outcome, or fewer groups to rank, is counted but not measured."""
OTHERS = "(all others)"
MISSING = "(missing)"


def measure_slices(answers: Answers, columns: pl.DataFrame, resamples: Resamples) -> tuple[SliceMeasure, ...]:
    """Measures every value of every column.

    Args:
        answers: Labels and predictions.
        columns: What to slice by, n rows; values are told as text.
        resamples: Draws over the same rows.

    Returns:
        Slices by column, largest first. Intervals are Bonferroni-corrected within a column, so that with the level
        asked for **all** of its slices' intervals hold: somebody will look for the worst one. ``metrics`` is empty
        where a slice is too small to tell.

    Raises:
        UsageError: The columns have another number of rows.
    """
    if columns.height != answers.rows:
        raise UsageError("slices do not match the rows", found=f"{columns.height} rows", expected=answers.rows)
    kind = answers.task.kind
    found: list[SliceMeasure] = []
    for column in columns.columns:
        values = _values(columns[column])
        masks = {value: values == value for value in dict.fromkeys(values.tolist())}
        enough = {value for value, mask in masks.items() if _enough(answers.among(mask))}
        level = 1.0 - (1.0 - resamples.level) / max(len(enough), 1)
        for value, mask in sorted(masks.items(), key=lambda item: (-int(item[1].sum()), item[0])):
            inside = answers.among(mask)
            draws = resample_answers(inside, resamples.among(mask)) if value in enough else {}
            found.append(
                SliceMeasure(
                    column=column,
                    value=value,
                    count=int(mask.sum()),
                    positives=int(inside.labels.sum()) if kind == "binary" else None,
                    metrics=measures(draws, level, kind),
                )
            )
    return tuple(found)


def _enough(answers: Answers) -> bool:
    if answers.rows < MIN_ROWS:
        return False
    if answers.task.kind == "ranking":
        return judged(answers) >= MIN_OF_A_CLASS
    positives = int(answers.labels.sum())
    return answers.task.kind != "binary" or min(positives, answers.rows - positives) >= MIN_OF_A_CLASS


def _values(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    text = named(column).fill_null(MISSING)
    common = text.value_counts(sort=True)[text.name].head(MOST_VALUES)
    kept = pl.select(pl.when(text.is_in(common.implode())).then(text).otherwise(pl.lit(OTHERS))).to_series()
    return np.asarray(kept.to_list(), dtype=np.object_)
