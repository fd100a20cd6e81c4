"""Exponentiated gradient (Agarwal et al., 2018): a lottery over classifiers that were fitted to changing weights.

What is fitted are scikit-learn's histogram-boosted trees, which read missing values as they are. The attribute is used
to learn, not to answer.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from fairlearn.reductions import DemographicParity, EqualizedOdds, ExponentiatedGradient, TruePositiveRateParity
from sklearn.ensemble import HistGradientBoostingClassifier

_CONSTRAINTS = {
    "demographic_parity": DemographicParity,
    "equal_opportunity": TruePositiveRateParity,
    "equalized_odds": EqualizedOdds,
}
_ROUNDS = 25
_TREES = 30


def reduction(
    rows: npt.NDArray[np.float64],
    labels: npt.NDArray[np.float64],
    groups: Sequence[str],
    asked: npt.NDArray[np.float64],
    *,
    constraint: str,
    bound: float = 0.02,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """Learns, and answers.

    Args:
        rows: float64 matrix to learn from, shape (n, fields); NaN where a value is missing.
        labels: 0 or 1, shape (n,).
        groups: Group of each row, n of them.
        asked: Rows to answer, shape (m, fields).
        constraint: ``demographic_parity``, ``equal_opportunity`` or ``equalized_odds``.
        bound: How far groups may lie apart where it learns.
        seed: Of every random choice.

    Returns:
        Chance that each row is acted on, shape (m,): the share of the lottery that says yes.
    """
    learner = ExponentiatedGradient(
        # Deep trees would fit the rows so well that what holds on them says little of others.
        HistGradientBoostingClassifier(
            max_iter=_TREES, max_leaf_nodes=7, min_samples_leaf=40, random_state=seed, early_stopping=False
        ),
        _CONSTRAINTS[constraint](difference_bound=bound),
        max_iter=_ROUNDS,
    )
    with warnings.catch_warnings():
        # fairlearn 0.15 sets values in a way that pandas 3 means to forbid; that is its to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        learner.fit(rows, labels.astype(int), sensitive_features=np.asarray(groups, dtype=object))
    chance = np.zeros(len(asked))
    for weight, each in zip(learner.weights_, learner.predictors_, strict=True):
        if weight > 0:
            chance += weight * np.asarray(each.predict(asked), np.float64)
    return np.clip(chance, 0.0, 1.0)
