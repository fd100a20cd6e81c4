"""Several drift statistics of one window: one word a feature, and all that each of them says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from drivetrain.core.records import FeatureDrift
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.drift import measure_drift
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.spec import Drift
from drivetrain.monitor.statistics.statistic import statistic_of
from drivetrain.monitor.text_drift import measure_texts
from drivetrain.train.text.encoder import TextEncoder


class LoggedTexts(NamedTuple):
    """A window's texts, and what they are held against.

    Attributes:
        reference: The profile of training: of texts no other history is kept.
        logged: Feature → its texts.
        encoders: Feature → what makes numbers of them.
        unnamed: Features whose words may not be named today.
    """

    reference: Reference
    logged: Mapping[str, Sequence[str | None]]
    encoders: Mapping[str, TextEncoder]
    unnamed: frozenset[str] = frozenset()

    def measured(self, days: int, asked: Drift) -> tuple[FeatureDrift, ...]:
        """Their drift, with half of the first statistic's part of the false alarms."""
        share = asked.part / 2
        return measure_texts(
            self.reference, self.logged, self.encoders, days=days, false_alarm=share, unnamed=self.unnamed
        )


def measure_several(
    reference: Reference,
    values: Floats,
    predictions: Floats,
    *,
    asked: Drift,
    days: int,
    withheld: frozenset[str] = frozenset(),
    apart: bool = False,
    texts: LoggedTexts | None = None,
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
        texts: The window's texts, where the log has them; they share the first statistic's part of the false alarms.

    Returns:
        What to say of each feature, furthest beyond its threshold first, and of the predictions: what the first
        statistic says, unless only another one calls them drifted; of a text, the first of ``words``, ``mmd`` and those
        that does. And what is left of what the others say.
    """
    worded = texts is not None and any(not asked.features or name in asked.features for name in texts.logged)
    said: list[dict[str, FeatureDrift]] = []
    if worded:
        assert texts is not None
        named = [each for each in texts.measured(days, asked) if not asked.features or each.feature in asked.features]
        said += [
            {each.feature: each for each in named if each.statistic == statistic} for statistic in ("words", "mmd")
        ]
    for name in asked.statistics:
        features, output = measure_drift(
            reference,
            values,
            predictions,
            days=days,
            statistic=name,
            effect=asked.least if name == asked.statistic else statistic_of(name).effect,
            false_alarm=asked.part / 2 if worded and name == asked.statistic else asked.part,
            features=frozenset(asked.features),
            withheld=withheld,
            apart=apart,
        )
        said.append({each.feature: each for each in (*features, output)})
    if len(said) == 1:
        return features, output, ()
    told = {name: _word([each[name] for each in said if name in each]) for name in said[-1]}
    rest = tuple(each[name] for name in told for each in said if name in each and each[name] is not told[name])
    last = told.pop(output.feature)
    ranked = sorted(told.values(), key=lambda each: -each.value / np.fmax(each.threshold, 1e-9))
    return tuple(ranked), last, rest


def _word(said: list[FeatureDrift]) -> FeatureDrift:
    drifted = [each for each in said if each.drifted]
    return drifted[0] if drifted else said[0]
