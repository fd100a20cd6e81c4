"""The other half's word on slices that a search has kept: an interval, and a chance corrected for all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import FoundSlice, Measure
from drivetrain.core.records.discovery import Condition
from drivetrain.evaluate.bias.shares import wilson
from drivetrain.evaluate.discovery.search import Mask, What, excess
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import t_quantile, t_tail

LEAST_ROWS = 50
LEAST_CLUSTERS = 6
"""Days, on the half that judges, in which a slice must have rows."""


@dataclass(frozen=True, eq=False)
class Half:
    """The rows that judge.

    Attributes:
        labels: 0 or 1, shape (n,).
        predictions: Probabilities, shape (n,).
        clusters: Day of each row; where entities repeat, bundles of entities besides; each shape (n,).
    """

    labels: Floats
    predictions: Floats
    clusters: Sequence[npt.NDArray[np.intp]]


@dataclass(frozen=True, eq=False)
class Kept:
    """A slice to judge."""

    conditions: tuple[Condition, ...]
    what: What
    mask: Mask


def judge(half: Half, kept: Sequence[Kept], level: float) -> list[FoundSlice]:
    """Those that luck does not explain, the most harmful first: effect times share of rows."""
    told = [(each, _effect(half, each)) for each in kept]
    # A slice too small to judge counts as judged: what is corrected for is what the search handed over.
    p = holm([1.0 if effect is None else effect.p for _, effect in told])
    found = [
        _found(half, each, effect, chance, level, len(kept))
        for (each, effect), chance in zip(told, p, strict=True)
        if effect is not None and chance <= 1.0 - level
    ]
    return sorted(found, key=lambda each: -each.worse.value * each.share)


def holm(chances: Sequence[float]) -> list[float]:
    """Chances corrected for how many there are (Holm, 1979).

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(chances)), key=lambda at: chances[at])
    corrected, largest = [0.0] * len(chances), 0.0
    for place, at in enumerate(order):
        largest = max(largest, min(1.0, chances[at] * (len(chances) - place)))
        corrected[at] = largest
    return corrected


@dataclass(frozen=True)
class _Effect:
    value: float
    error: float
    freedom: int
    p: float


def _effect(half: Half, kept: Kept) -> _Effect | None:
    """How much worse the slice is than the other rows, the standard error by whole clusters."""
    inside = kept.mask
    days = len(np.unique(half.clusters[0][inside]))
    if inside.sum() < LEAST_ROWS or (~inside).sum() < LEAST_ROWS or days < LEAST_CLUSTERS:
        return None
    losses = _losses(half, kept.what)
    mine, theirs = losses[inside], losses[~inside]
    value = float(mine.mean() - theirs.mean())
    pulls = np.where(inside, (losses - mine.mean()) / len(mine), -(losses - theirs.mean()) / len(theirs))
    error = 0.0
    for clusters in half.clusters:
        many = len(np.unique(clusters))
        sums = np.bincount(clusters, weights=pulls)
        error = max(error, math.sqrt(float((sums**2).sum()) * many / (many - 1)))
    if error == 0.0:
        return None
    return _Effect(value, error, days - 1, t_tail(value / error, days - 1))


def _losses(half: Half, what: What) -> Floats:
    if what == "too sure":
        return excess(half.labels, half.predictions)
    gap = half.labels - half.predictions
    return gap if what == "too low" else -gap


def _found(half: Half, kept: Kept, effect: _Effect, p: float, level: float, among: int) -> FoundSlice:
    labels, predictions = half.labels[kept.mask], half.predictions[kept.mask]
    reach = effect.error * t_quantile(1.0 - (1.0 - level) / (2 * among), effect.freedom)
    count, share = len(labels), float(labels.mean())
    return FoundSlice(
        conditions=kept.conditions,
        what=kept.what,
        rows=count,
        share=count / len(half.labels),
        predicted=float(predictions.mean()),
        observed=Measure(share, *_observed(half, kept.mask, level), count, level),
        error=float(((labels - predictions) ** 2).mean()),
        promised=float((predictions * (1.0 - predictions)).mean()),
        worse=Measure(effect.value, effect.value - reach, effect.value + reach, count, level),
        p=p,
    )


def _observed(half: Half, inside: Mask, level: float) -> tuple[float, float]:
    """Wilson's interval at as many rows as whole clusters are worth."""
    labels = half.labels[inside]
    share, alone = float(labels.mean()), float(labels.var()) / len(labels)
    effect, freedom = 1.0, len(labels)
    for clusters in half.clusters:
        sums = np.bincount(clusters[inside], weights=(labels - share) / len(labels))
        many = len(np.unique(clusters[inside]))
        freedom = min(freedom, many)
        if alone > 0.0 and many > 1:
            effect = max(effect, float((sums**2).sum()) * many / (many - 1) / alone)
    return wilson(share, len(labels) / effect, t_quantile(0.5 + level / 2, max(freedom - 1, 1)))
