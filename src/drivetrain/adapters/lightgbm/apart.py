"""Boosted trees that tell two sides' rows apart: what monitoring asks to see a change that no feature shows alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivetrain.adapters.lightgbm.library import patient

_ROUNDS = 60
_SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.8,
    "is_unbalance": True,
    "deterministic": True,
    "num_threads": 1,
    "seed": 1,
    "verbose": -1,
}


def apart(
    values: npt.NDArray[np.float64],
    is_second: npt.NDArray[np.bool_],
    folds: npt.NDArray[np.intp],
    categories: Sequence[int] = (),
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Says of each row how likely it is of the second side, by trees that learned from the other folds.

    Args:
        values: Rows of both sides, shape (rows, features); NaN is no value.
        is_second: Whose each row is.
        folds: Fold of each row.
        categories: Which columns hold codes of categories.

    Returns:
        Scores, shape (rows,); and each feature's share of the trees' gain, shape (features,).
    """
    patient()
    import lightgbm  # noqa: PLC0415 - on first use: serving needs its C interface alone

    scores = np.empty(len(values))
    gains = np.zeros(values.shape[1])
    for fold in np.unique(folds):
        mine = folds == fold
        rows = lightgbm.Dataset(
            values[~mine], label=is_second[~mine].astype(np.float64), categorical_feature=list(categories)
        )
        trees = lightgbm.train(_SETTINGS, rows, num_boost_round=_ROUNDS)
        scores[mine] = np.asarray(trees.predict(values[mine], num_threads=1))
        gains += trees.feature_importance("gain")
    return scores, gains / max(float(gains.sum()), 1e-300)
