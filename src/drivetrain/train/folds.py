"""How good a model is fold by fold: each, all of their rows together, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from drivetrain.train.score import METRICS, score


class Judged(NamedTuple):
    """Labels, and what a model that has not seen them said."""

    labels: np.ndarray
    scores: np.ndarray


def figures(judged: Judged) -> dict[str, float]:
    """Every metric that fits the labels."""
    if set(np.unique(judged.labels)) != {0.0, 1.0}:
        return {}
    return {name: score(name, *judged) for name in METRICS}


def over_folds(found: Mapping[str, Judged]) -> dict[str, float]:
    """Figures over folds.

    Args:
        found: Name of the fold → what came of it.

    Returns:
        ``valid.METRIC``: of all their rows together; ``valid.METRIC.FOLD``: of one; ``valid.METRIC.spread``: the
        standard deviation over the folds, where there are two or more. A fold whose labels are all the same has none.

    Example:
        >>> labels, told, guessed = np.array([0.0, 1.0]), np.array([0.2, 0.6]), np.array([0.5, 0.5])
        >>> found = over_folds({"May": Judged(labels, told), "June": Judged(labels, guessed)})
        >>> found["valid.roc_auc.May"], found["valid.roc_auc.June"], found["valid.roc_auc"]
        (1.0, 0.5, 0.875)
    """
    together = Judged(
        np.concatenate([each.labels for each in found.values()]),
        np.concatenate([each.scores for each in found.values()]),
    )
    told = {f"valid.{name}": value for name, value in figures(together).items()}
    each = {fold: figures(judged) for fold, judged in found.items()}
    for name in METRICS:
        values = {fold: told_of[name] for fold, told_of in each.items() if name in told_of}
        told |= {f"valid.{name}.{fold}": value for fold, value in values.items()}
        if len(values) > 1:
            told[f"valid.{name}.spread"] = float(np.std(list(values.values()), ddof=1))
    return told
