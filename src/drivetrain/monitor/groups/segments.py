"""The metric by segment: among the answers of a window that share a value of one of the model's slices."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.records import SegmentSeen, SliceMeasure
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.naming import named_before
from drivetrain.evaluate.slices import measure_slices


def measure_segments(
    answers: Answers,
    ats: npt.NDArray[np.int64],
    columns: pl.DataFrame,
    *,
    metric: str,
    then: Sequence[SliceMeasure] = (),
    bootstrap: Bootstrap = Bootstrap(),
) -> tuple[SegmentSeen, ...]:
    """Every value of every column, largest first.

    Intervals hold together over all segments of all columns: somebody will look for the worst one.

    Args:
        answers: Labelled answers.
        ats: Moment of each, microseconds UTC, shape (n,).
        columns: What they are told apart by, n rows.
        metric: Which metric.
        then: Slices of the version's evaluation.
        bootstrap: How intervals are made; a window of fewer than four days gets none.
    """
    if not answers.rows or not columns.width:
        return ()
    level = 1.0 - (1.0 - bootstrap.level) / columns.width
    numbers = {name for name in columns.columns if columns[name].dtype.is_numeric()}
    before = {
        (one.column, named_before(one.value) if one.column in numbers else one.value): one.metrics.get(metric)
        for one in then
    }
    resamples = draw(ats, msgspec.structs.replace(bootstrap, level=level))
    return tuple(
        SegmentSeen(
            column=one.column,
            value=one.value,
            metric=metric,
            count=one.count,
            now=one.metrics.get(metric),
            then=before.get((one.column, one.value)),
        )
        for one in measure_slices(answers, columns, resamples)
        if one.metrics or (one.column, one.value) in before
    )
