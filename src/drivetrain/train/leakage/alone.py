"""A feature too good alone: what it tells of later rows, by a table learned on earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from drivetrain.core.records import Measure
from drivetrain.train.leakage.bounds import area_bounds, precision_bounds, rank_bounds
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject

BINS = 64
"""A number is read as one of so many bins of equal rows; null and categories are bins of their own."""
_SMOOTHING = 5.0
_CLASSES = 5


class Table(NamedTuple):
    """A mean label for each bin of a feature."""

    edges: np.ndarray
    means: np.ndarray
    exact: bool
    """Whether the edges are values, of which others than these read as null."""

    def bins(self, values: np.ndarray) -> np.ndarray:
        """Bin of each value; the last is that of nulls."""
        places = np.searchsorted(self.edges, values, side="left" if self.exact else "right")
        null = len(self.means) - 1
        if self.exact:
            near = np.minimum(places, max(len(self.edges) - 1, 0))
            places = np.where(self.edges[near] == values, near, null) if len(self.edges) else np.full(len(values), null)
        return np.where(np.isnan(values), null, places)


def learn(values: np.ndarray, labels: np.ndarray) -> Table:
    """A table of the mean label by bin, drawn toward the mean of all.

    Args:
        values: A feature, NaN where it is null.
        labels: Numbers.
    """
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    exact = len(distinct) <= 4 * BINS
    edges = distinct if exact else np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
    empty = Table(edges, np.zeros(len(edges) + (1 if exact else 2)), exact)
    bins = empty.bins(values)
    sums = np.bincount(bins, weights=labels, minlength=len(empty.means))
    counts = np.bincount(bins, minlength=len(empty.means))
    return empty._replace(means=(sums + _SMOOTHING * labels.mean()) / (counts + _SMOOTHING))


def area(bins: np.ndarray, means: np.ndarray, positive: np.ndarray) -> float:
    """ROC AUC of a table's means, ties counting half, from counts alone."""
    _, levels = np.unique(means, return_inverse=True)
    hits = np.bincount(levels[bins], weights=positive, minlength=levels.max() + 1)
    misses = np.bincount(levels[bins], weights=~positive, minlength=levels.max() + 1)
    below = np.cumsum(misses) - misses / 2
    return float((hits * below).sum() / (hits.sum() * misses.sum()))


def precision(bins: np.ndarray, means: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> float:
    """Average precision of a table's means, rows counting for as many as they stand for."""
    _, levels = np.unique(-means, return_inverse=True)
    hits = np.cumsum(np.bincount(levels[bins], weights=weights * positive, minlength=levels.max() + 1))
    rows = np.cumsum(np.bincount(levels[bins], weights=weights, minlength=levels.max() + 1))
    found = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
    return float((np.diff(hits, prepend=0.0) * found).sum() / hits[-1])


def too_good_alone(subject: Subject) -> Iterator[Found]:
    """Features whose figure on later rows is beyond its bound, the whole interval of it."""
    teach, judge = ~subject.later, subject.later
    for at, field in enumerate(subject.schema.fields):
        values = subject.rows[:, at]
        if np.isnan(values[teach]).all():
            continue
        tried = _classed(subject, values, teach, judge) if len(subject.classes) else _ranked(subject, values)
        best = max(tried, key=lambda one: (one[1].low or 0.0) - one[2], default=None)
        if best is not None and (best[1].low or 0.0) > best[2]:
            name, figure, bound = best
            yield Found(
                "too good alone",
                field.name,
                f"{field.name} alone reaches {name} {figure.value:.3f} on {figure.count:,} later rows, surely above "
                f"{figure.low:.3f}; more than {bound:g} is seldom honest",
                figure,
            )


def _classed(
    subject: Subject, values: np.ndarray, teach: np.ndarray, judge: np.ndarray
) -> Iterator[tuple[str, Measure, float]]:
    """Figures of each label against the others: what it is, the figure, and its bound."""
    labels = subject.labels
    commonest = sorted(subject.classes, key=lambda one: -int((labels == one).sum()))[:_CLASSES]
    asked = subject.classes[1:] if len(subject.classes) == 2 else commonest
    chance = subject.chance / (2 * len(asked))
    for one in asked:
        positive = labels == one
        if min(_both(positive[teach]), _both(positive[judge])) < 1:
            continue
        table = learn(values[teach], positive[teach].astype(np.float64))
        bins, told = table.bins(values[judge]), positive[judge]
        yes, no = int(told.sum()), int((~told).sum())
        found = area(bins, table.means, told)
        yield (
            "a ROC AUC of",
            Measure(found, *area_bounds(found, yes, no, chance), len(told), subject.rules.level),
            subject.rules.auc,
        )
        weights = subject.weights[judge]
        rate = float((weights * told).sum() / weights.sum())
        sharp = precision(bins, table.means, told, weights)
        # Where positives are common, any order of the rows has a high precision.
        yield (
            "an average precision of",
            Measure(sharp, *precision_bounds(sharp, yes, chance), len(told), subject.rules.level),
            max(subject.rules.precision, (1 + rate) / 2),
        )


def _ranked(subject: Subject, values: np.ndarray) -> Iterator[tuple[str, Measure, float]]:
    """The R² of ranks, which a few huge labels can't carry."""
    teach, judge = ~subject.later, subject.later
    ranks = ranked(subject.labels)
    table = learn(values[teach], ranks[teach])
    said = table.means[table.bins(values[judge])]
    if np.ptp(said) == 0 or np.ptp(ranks[judge]) == 0:
        return
    found = float(np.corrcoef(ranked(said), ranked(ranks[judge]))[0, 1])
    low, high = rank_bounds(found, int(judge.sum()), subject.chance)
    square = Measure(found * max(found, 0.0), max(low, 0.0) ** 2, max(high, 0.0) ** 2, int(judge.sum()))
    yield "an R² of ranks of", square, subject.rules.r2


def ranked(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal values sharing the middle of theirs."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2.0)[codes]


def _both(positive: np.ndarray) -> int:
    return int(min(positive.sum(), (~positive).sum()))
