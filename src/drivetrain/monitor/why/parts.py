"""A fall in two parts: what other inputs bring, and what is left, which is concept.

The evaluation's own rows, weighted like the window's, show what the version would do on the window's inputs had
nothing else changed; from there to what the window shows is concept drift (Cai, Namkoong and Yadlowsky, 2023). The
first part is shared out among features by Shapley values of the weights that each feature's shift brings (Zhang,
Singh, Ghassemi and Joshi, 2023), which add up to it exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Contribution, Measure, Task, TaskKind
from drivetrain.evaluate.bootstrap import MIN_BLOCKS
from drivetrain.evaluate.metrics import METRICS, SETS, log_losses
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.over import Weighted
from drivetrain.evaluate.ranking import Floats, Ranking
from drivetrain.evaluate.student import t_quantile
from drivetrain.monitor.estimate.domain import Ratio, weights_of

_REPLICATES = 100
_PLAYERS = 7
"""Features that share the part out one by one; the others do as one."""
OTHERS = "all others"


class Rows(msgspec.Struct, frozen=True):
    """Labelled rows: what came, what was said, and the day of each."""

    labels: Floats
    predictions: Floats
    days: npt.NDArray[np.int64]


class Parts(msgspec.Struct, frozen=True):
    """A fall, oriented so that positive is worse, and its parts.

    Attributes:
        worse: The whole; without labels, what other inputs bring.
        inputs: What other inputs bring.
        concept: The rest; none without labels.
        features: Whose shift brings the former, greatest first.
    """

    worse: Measure
    inputs: Measure
    concept: Measure | None
    features: tuple[Contribution, ...]


def parts_of(metric: str, there: Rows, here: Rows | None, ratio: Ratio, names: list[str], task: Task) -> Parts:
    """Takes a fall apart.

    Args:
        metric: Which one fell.
        there: The evaluation's rows.
        here: The window's rows with labels, or none.
        ratio: The former weighed like the window's.
        names: Of the features.
        task: What answers tell.
    """
    value, window = figure_of(metric, there, task), None if here is None else figure_of(metric, here, task)
    plain = np.ones(len(there.labels))
    random = np.random.default_rng(0)
    draws = [(plain, ratio.weights, None if here is None else np.ones(len(here.labels)))]
    for _ in range(_REPLICATES):
        counts = _drawn(there.days, random)
        draws.append((counts, ratio.weights * counts, None if here is None else _drawn(here.days, random)))
    gain = METRICS[metric].gain
    inputs, concept = [], []
    for counts, weights, ours in draws:
        before, moved = value(counts), value(weights)
        inputs.append(gain(before, moved))
        if window is not None and ours is not None:
            concept.append(gain(moved, window(ours)))
    blocks = len(np.unique(there.days))
    whole = inputs
    told = None
    if here is not None:
        whole = [one + other for one, other in zip(inputs, concept, strict=True)]
        blocks = min(blocks, len(np.unique(here.days)))
        told = _measure(concept, len(here.labels), blocks)
    count = len(there.labels) if here is None else len(here.labels)
    return Parts(
        worse=_measure(whole, count, blocks),
        inputs=_measure(inputs, len(there.labels), blocks),
        concept=told,
        features=shared_out(ratio.parts, names, lambda weights: gain(value(plain), value(weights)), ratio.weights),
    )


def shared_out(
    parts: Floats, names: list[str], worth: Callable[[Floats], float], weights: Floats
) -> tuple[Contribution, ...]:
    """Each feature's Shapley value, greatest first.

    Args:
        parts: What each feature adds to the log of a row's weight, shape (rows, features).
        names: Of the features.
        worth: Weights → how much worse the metric is under them.
        weights: Those of all features together.

    Example:
        >>> parts = np.log(np.array([[2.0, 1.0], [0.5, 1.0]]))
        >>> found = shared_out(parts, ["a", "b"], lambda w: w[0] - 1, np.ones(2))
        >>> [(one.feature, round(one.value, 3)) for one in found]
        [('a', 0.6), ('b', 0.0)]
    """
    rank = np.argsort(-(weights @ np.abs(parts - parts.mean(axis=0))), kind="stable")
    lone, rest = rank[:_PLAYERS], rank[_PLAYERS:]
    columns = [parts[:, at] for at in lone] + ([parts[:, rest].sum(axis=1)] if len(rest) else [])
    called = [names[at] for at in lone] + ([OTHERS] if len(rest) else [])
    players = range(len(columns))
    worths = {
        group: worth(weights_of(sum((columns[at] for at in group), np.zeros(len(parts)))))
        for size in range(len(columns) + 1)
        for group in combinations(players, size)
    }
    found = []
    for at in players:
        value = 0.0
        for group, without in worths.items():
            if at in group:
                continue
            joined = tuple(sorted((*group, at)))
            often = math.factorial(len(group)) * math.factorial(len(columns) - len(group) - 1)
            value += often / math.factorial(len(columns)) * (worths[joined] - without)
        found.append(Contribution(called[at], float(value)))
    return tuple(sorted(found, key=lambda one: -abs(one.value)))


def figure_of(metric: str, rows: Rows, task: Task) -> Callable[[Floats], float]:
    """The metric of rows under weights."""
    if task.kind == "binary" and metric in {"average_precision", "roc_auc"}:
        ranking = Ranking(rows.labels, rows.predictions)
        return lambda weights: float(getattr(ranking.areas_by_row(weights), metric))
    if (task.kind, metric) in _MEANS:
        losses = _MEANS[task.kind, metric](rows)
        return lambda weights: float(weights @ losses / weights.sum())
    answers = Answers(rows.labels, rows.predictions, task)
    return lambda weights: float(SETS[task.kind].figures(answers, Weighted(weights))[metric][0])


_MEANS: Mapping[tuple[TaskKind, str], Callable[[Rows], Floats]] = {
    ("binary", "log_loss"): lambda rows: log_losses(rows.labels, rows.predictions),
    ("binary", "brier"): lambda rows: np.square(rows.labels - rows.predictions),
    ("regression", "mae"): lambda rows: np.abs(rows.labels - rows.predictions),
}
"""Metrics that are means of rows: a hundred resamples of them need no more than a hundred products."""


def losses_of(rows: Rows, task: Task) -> Floats:
    """Each row's own loss: minus the log of the probability given to what came, or how far off."""
    if task.kind == "binary":
        given = np.where(rows.labels > 0.5, rows.predictions, 1 - rows.predictions)
    elif task.kind == "multiclass":
        given = rows.predictions[np.arange(len(rows.labels)), rows.labels.astype(np.intp)]
    else:
        return np.abs(rows.labels - rows.predictions)
    return np.asarray(-np.log(np.clip(given, 1e-6, 1.0)), np.float64)


def _drawn(days: npt.NDArray[np.int64], random: np.random.Generator) -> Floats:
    known, at = np.unique(days, return_inverse=True)
    counts = random.multinomial(len(known), np.full(len(known), 1 / len(known)))
    return np.asarray(counts[at], np.float64)


def _measure(values: list[float], count: int, blocks: int) -> Measure:
    there = np.array([value for value in values[1:] if math.isfinite(value)])
    if blocks < MIN_BLOCKS or len(there) < _REPLICATES // 2:
        return Measure(values[0], None, None, count)
    wide = t_quantile(0.975, blocks - 1) * math.sqrt(blocks / (blocks - 1)) * float(there.std(ddof=1))
    return Measure(values[0], values[0] - wide, values[0] + wide, count)
