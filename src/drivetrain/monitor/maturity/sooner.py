"""Labels of one kind that come sooner than others, and what the rest would have shown."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import show_duration
from drivetrain.core.records import Measure, Task
from drivetrain.evaluate.bootstrap import Bootstrap, Resamples, draw
from drivetrain.evaluate.measures import measures, resample_answers
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.over import Codes, Mask
from drivetrain.evaluate.ranking import Floats, Ranking, Weights

_SURE = 3.9
"""Standard errors: one false word in ten thousand windows, were rows independent; days make that more."""
_LEAST = 0.1
_FEWEST = 50
_THINNEST = 0.1
"""A label that comes by its age less often than this would have to stand for too many."""


def kinds(labels: Floats, task: Task) -> tuple[npt.NDArray[np.bool_], str, str]:
    """Which labels are of the first kind of two, and what both are called: yes and no, or above the middle and not."""
    if task.kind == "binary":
        return labels > 0.5, "positives", "negatives"
    middle = float(np.median(labels)) if len(labels) else 0.0
    return labels > middle, f"labels above {middle:.4g}", "others"


def which_sooner(labels: Floats, ages: Floats, exposures: Floats, task: Task) -> str:
    """A sentence where one kind of labels surely comes sooner, else nothing.

    Told from predictions of the older half, so that the young ones, of which only quick labels have come, don't say it.
    """
    first, ours, theirs = kinds(labels, task)
    old = exposures >= float(np.median(exposures)) if len(exposures) else first
    seen = old & (ages <= float(exposures[old].min(initial=np.inf)))
    one, other = ages[seen & first], ages[seen & ~first]
    if min(len(one), len(other)) < _FEWEST:
        return ""
    middle = float(np.median(ages[seen]))
    shares = float((one <= middle).mean()), float((other <= middle).mean())
    whole = (len(one) * shares[0] + len(other) * shares[1]) / (len(one) + len(other))
    error = math.sqrt(max(whole * (1 - whole), 1e-12) * (1 / len(one) + 1 / len(other)))
    if abs(shares[0] - shares[1]) < max(_LEAST, _SURE * error):
        return ""
    quick, slow = (ours, theirs) if shares[0] > shares[1] else (theirs, ours)
    fast, late = sorted([float(np.median(one)), float(np.median(other))])
    return (
        f"{quick} come sooner: half of them within {show_duration(int(fast))}, half of the {slow} within "
        f"{show_duration(int(late))}; what is known so far is not like the whole"
    )


def arrival_weights(first: npt.NDArray[np.bool_], ages: Floats, exposures: Floats) -> Floats | None:
    """How many labels each one that came stands for: one over how often its like has come by its prediction's age.

    How fast each kind comes is learned from those that came, which are all that is known to be of it, with what could
    not have come yet left out (the product-limit estimate for truncated times; Lagakos, Barraj and De Gruttola, 1988).
    It says nothing of labels that take longer than the oldest prediction has waited: of both kinds as many are taken to
    have come by then.

    Args:
        first: Whether each label is of the first kind, shape (n,).
        ages: From each prediction to its label, shape (n,).
        exposures: How old each prediction is.

    Returns:
        Shape (n,); 0 for predictions so young that of one kind hardly any labels can have come: both kinds are left out
        alike. None where that leaves fewer than half.
    """
    weights: Floats = np.zeros(len(ages))
    youngest = 0.0
    for kind in (first, ~first):
        if kind.any():
            share = _come_by(ages[kind], exposures[kind])
            weights[kind] = 1.0 / np.maximum(share, _THINNEST)
            youngest = max(youngest, float(exposures[kind][share < _THINNEST].max(initial=0.0)))
    weights[exposures <= youngest] = 0.0
    return weights if (weights > 0).mean() >= 0.5 else None


def adjusted(
    labels: Floats, said: Floats, ats: npt.NDArray[np.int64], weights: Floats, task: Task
) -> dict[str, Measure]:
    """Every metric on labels that came, each weighted by how many it stands for, with intervals by days."""
    bootstrap = Bootstrap(replicates=100)
    over = _Weighing(draw(ats, bootstrap), weights)
    return measures(resample_answers(Answers(labels, said, task), over), bootstrap.level, task.kind)


def _come_by(ages: Floats, exposures: Floats) -> Floats:
    """Share of a kind's labels that come by each exposure, among those that come by the greatest."""
    moments, events = np.unique(ages, return_counts=True)
    at_risk = np.searchsorted(np.sort(ages), moments, side="right") - np.searchsorted(
        np.sort(exposures), moments, side="left"
    )
    kept = 1.0 - events / np.maximum(at_risk, events)
    kept[0] = 1.0  # the first of all leaves nothing below it
    below = np.concatenate([np.cumprod(kept[::-1])[::-1], [1.0]])
    return np.asarray(below[np.searchsorted(moments, exposures, side="right")], np.float64)


class _Weighing(Resamples):
    """Resamples in which rows have weights of their own."""

    def __init__(self, resamples: Resamples, weights: Floats) -> None:
        super().__init__(resamples.codes, resamples.counts, resamples.level)
        self._weights = weights

    def among(self, mask: Mask) -> _Weighing:
        return _Weighing(super().among(mask), self._weights[mask])

    def each(self) -> Iterator[Weights]:
        for counts in super().each():
            yield counts * self._weights

    def roc_auc(self, labels: Floats, scores: Floats) -> Floats:
        ranking = Ranking(labels, scores)
        return np.array([ranking.areas_by_row(weights).roc_auc for weights in self.each()])

    def sums(self, values: Floats, group: Codes | None = None, groups: int = 1) -> Floats:
        return super().sums(values * self._weights, group, groups)
