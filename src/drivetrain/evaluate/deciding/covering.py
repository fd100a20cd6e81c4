"""How often outcomes lie inside intervals or sets: over all, by month, by class and by slice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.records import Covering, Measure
from drivetrain.core.records.deciding import CoveredPart, Reach
from drivetrain.evaluate.bootstrap import Resamples
from drivetrain.evaluate.deciding.acting import mean, ratio
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats
from drivetrain.train.deciding.conformal import YES_OR_NO, intervals, members

MIN_ROWS = 30
"""Rows of a part below which nothing is said of it."""
MOST_VALUES = 40
"""Values of a slice that are told apart."""
CLASS, MONTH = "class", "month"


def covering(
    reach: Reach, answers: Answers, ats: np.ndarray, resamples: Resamples, slices: pl.DataFrame | None = None
) -> Covering:
    """Measures a coverage that was promised from other rows.

    Args:
        reach: What makes answers intervals or sets.
        answers: Labels and predictions, as they are served.
        ats: Moment of each, microseconds UTC.
        resamples: Draws over the same rows.
        slices: What else to tell apart, n rows.

    Returns:
        Shares by part hold, within a column, all together with the level asked for (Bonferroni).
    """
    inside, size = covered(reach, answers)
    found = []
    for column, values in _columns(reach, answers, ats, slices):
        named = [(value, values == value) for value in sorted(set(values.tolist()))]
        named = [(value, which) for value, which in named if which.sum() >= MIN_ROWS][:MOST_VALUES]
        if len(named) < 2 and column != CLASS:
            continue  # one part is the whole
        level = 1.0 - (1.0 - resamples.level) / max(len(named), 1)
        for value, which in named:
            share = ratio(inside[which], np.ones(int(which.sum())), resamples.among(which), level)
            found.append(CoveredPart(column=column, value=value, covered=share, size=float(size[which].mean())))
    return Covering(
        method=reach.method,
        coverage=reach.coverage,
        each_class=len(set(reach.floors)) > 1,
        covered=ratio(inside, np.ones(len(inside)), resamples),
        size=_floored(size, resamples),
        parts=tuple(found),
    )


def covered(reach: Reach, answers: Answers) -> tuple[Floats, Floats]:
    """Whether each outcome lay inside, 0 or 1; and how wide its interval was, or how many classes its set had."""
    labels, said = answers.labels, answers.predictions
    if reach.method == "set":
        held = members(reach, said)
        return held[np.arange(len(labels)), labels.astype(np.intp)].astype(np.float64), held.sum(axis=1).astype(float)
    ends = intervals(reach, said)
    inside = (labels >= ends[:, 0]) & (labels <= ends[:, 1])
    return inside.astype(np.float64), np.asarray(ends[:, 1] - ends[:, 0], np.float64)


def _columns(
    reach: Reach, answers: Answers, ats: np.ndarray, slices: pl.DataFrame | None
) -> Iterator[tuple[str, np.ndarray]]:
    months, of = np.unique(ats.astype("datetime64[us]").astype("datetime64[M]"), return_inverse=True)
    yield MONTH, months.astype(str)[of]
    if reach.method == "set":
        yield CLASS, np.array(answers.task.classes or YES_OR_NO, dtype=object)[answers.labels.astype(np.intp)]
    for values in () if slices is None else slices:
        yield values.name, np.array(values.cast(pl.String).fill_null("(missing)").to_list(), dtype=object)


def _floored(size: Floats, resamples: Resamples) -> Measure:
    """A size, whose interval begins at nothing at the lowest."""
    found = mean(size, resamples)
    return found if found.low is None else replace(found, low=max(found.low, 0.0))
