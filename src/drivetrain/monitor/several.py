"""Several drift statistics of one window: one word a feature, and all that each of them says."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import FeatureDrift
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.drift import measure_drift
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.spec import Drift
from drivetrain.monitor.statistics.statistic import statistic_of


def measure_several(
    reference: Reference,
    values: Floats,
    predictions: Floats,
    *,
    asked: Drift,
    days: int,
    withheld: frozenset[str] = frozenset(),
    apart: bool = False,
) -> tuple[tuple[FeatureDrift, ...], FeatureDrift, tuple[FeatureDrift, ...]]:
    """Measures every statistic that is asked for; each has its part of the rate of false alarms.

    Args:
        reference: What the window is held against.
        values: The window's encoded rows, shape (n, fields) in the reference's order; n > 0.
        predictions: Its predictions, shape (n,).
        asked: What counts as drift.
        days: Length of the window.
        withheld: Never watch these: the window's rows lack their values.
        apart: As of :func:`~drivetrain.monitor.drift.measure_counts`.

    Returns:
        What to say of each feature, furthest beyond its threshold first, and of the predictions: what the first
        statistic says, unless only another one calls them drifted. And what is left of what the others say.
    """
    said = []
    for name in asked.statistics:
        features, output = measure_drift(
            reference,
            values,
            predictions,
            days=days,
            statistic=name,
            effect=asked.least if name == asked.statistic else statistic_of(name).effect,
            false_alarm=asked.part,
            features=frozenset(asked.features),
            withheld=withheld,
            apart=apart,
        )
        said.append({each.feature: each for each in (*features, output)})
    if len(said) == 1:
        return features, output, ()
    told = {name: _word([each[name] for each in said]) for name in said[0]}
    rest = tuple(each[name] for name in told for each in said if each[name] is not told[name])
    last = told.pop(output.feature)
    ranked = sorted(told.values(), key=lambda each: -each.value / np.fmax(each.threshold, 1e-9))
    return tuple(ranked), last, rest


def _word(said: list[FeatureDrift]) -> FeatureDrift:
    drifted = [each for each in said if each.drifted]
    return drifted[0] if drifted else said[0]
