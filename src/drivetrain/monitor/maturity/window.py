"""How mature a window's labels are: the curve, what performance looked like at each age, and what is overdue."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.records import Maturity, Ripe, Task
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.maturity.arrivals import arrivals
from drivetrain.monitor.maturity.curve import Come, curve, settled
from drivetrain.monitor.maturity.sooner import adjusted, arrival_weights, kinds, which_sooner
from drivetrain.monitor.performance import measure_performance

_WHOLE = 0.995
"""Share of labels from which on nothing is left to weigh."""


def maturity_of(
    predictions: pl.DataFrame,
    feedback: pl.DataFrame,
    labels: Floats,
    said: Floats,
    *,
    endpoint: str,
    task: Task,
    now: Micros,
    metrics: Sequence[str] = (),
    due: Micros | None = None,
) -> Maturity:
    """Looks at when a window's labels came.

    Args:
        predictions: One version's rows of the prediction log.
        feedback: Rows of the feedback log.
        labels: The label of each prediction; NaN where none has come.
        said: What the version said, shape (n,), or (n, outputs).
        endpoint: Whose feedback.
        task: What answers tell.
        now: The moment of looking.
        metrics: What to tell of each age.
        due: Age by which labels of older windows had come, for as long as this window does not tell.
    """
    found = arrivals(predictions, feedback, endpoint=endpoint)
    ats = predictions["at"].cast(pl.Int64).to_numpy()
    exposures = np.maximum(now - ats, 0).astype(np.float64)
    ages = np.where(found.ages <= exposures, found.ages, np.nan)
    whole = np.isfinite(said.reshape(len(said), task.outputs)).all(axis=1)
    known = np.isfinite(labels) & np.isfinite(ages) & whole
    expected = settled(ages, exposures) or due
    measured = task.kind in {"binary", "regression"}
    sooner = which_sooner(labels[known], ages[known], exposures[known], task) if measured else ""
    ripe = []
    for one in curve(ages, exposures):
        by = known & (exposures >= one.age) & (ages <= one.age)
        ripe.append(_ripe(one, labels[by], np.ascontiguousarray(said[by]), task, metrics))
    maturity = Maturity(
        seen=now,
        curve=tuple(ripe),
        due=expected,
        overdue=0 if expected is None else int((np.isnan(ages) & (exposures > expected)).sum()),
        repeated=found.repeated,
        contradicted=found.contradicted,
        early=found.early,
        strange=found.strange,
        sooner=sooner,
    )
    if not sooner or known.sum() >= _WHOLE * len(labels):
        return maturity
    weights = arrival_weights(kinds(labels[known], task)[0], ages[known], exposures[known])
    if weights is None:
        return maturity
    told = adjusted(labels[known], np.ascontiguousarray(said[known]), ats[known], weights, task)
    shown = {name: one for name, one in told.items() if name in {*metrics, "base_rate"}}
    return msgspec.structs.replace(maturity, adjusted=shown)


def _ripe(one: Come, labels: Floats, said: Floats, task: Task, metrics: Sequence[str]) -> Ripe:
    plain = Bootstrap(replicates=0)
    told = measure_performance(Answers(labels, said, task), np.zeros(len(labels), np.int64), bootstrap=plain)
    shown = {name: measure.value for name, measure in told.items() if name in {*metrics, "base_rate"}}
    return Ripe(age=one.age, share=one.share, low=one.low, high=one.high, count=len(labels), metrics=shown)
