"""Class by class: how often each is named, how often rightly, and what it is taken for."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import ClassMeasure, Measure
from drivetrain.evaluate.bootstrap import Draws, Resamples
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.multiclass import by_class, one_against_rest
from drivetrain.evaluate.metrics.multilabel import by_label
from drivetrain.evaluate.metrics.over import ratio
from drivetrain.evaluate.ranking import Floats


def measure_classes(answers: Answers, resamples: Resamples) -> tuple[ClassMeasure, ...]:
    """Precision and recall of each class, or of each of several labels; nothing of other kinds.

    Intervals are each class's own: with many classes some will not hold.
    """
    kind = answers.task.kind
    if kind not in {"multiclass", "multilabel"}:
        return ()
    counts = by_class(answers, resamples) if kind == "multiclass" else by_label(answers, resamples)
    areas = one_against_rest(answers, resamples) if kind == "multiclass" else None
    told = []
    for at, name in enumerate(answers.task.classes):
        came, named, hits = (counts[which][:, at] for which in ("came", "named", "hits"))
        told.append(
            ClassMeasure(
                name=name,
                count=int(came[0]),
                named=int(named[0]),
                precision=_measure(ratio(hits, named), int(named[0]), resamples),
                recall=_measure(ratio(hits, came), int(came[0]), resamples),
                roc_auc=None if areas is None else _measure(areas[:, at], answers.rows, resamples),
            )
        )
    return tuple(told)


def _measure(values: Floats, count: int, resamples: Resamples) -> Measure | None:
    if not np.isfinite(values[0]):
        return None
    draws = Draws(float(values[0]), values[1:], count, resamples.blocks)
    if np.nanmin(values) == np.nanmax(values):  # all right, or none, in every resample: they can't say how sure that is
        return Measure(draws.value, None, None, count, resamples.level)
    return draws.measure(METRICS["accuracy"], resamples.level)
