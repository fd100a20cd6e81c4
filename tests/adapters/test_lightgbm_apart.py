import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from drivetrain.core import plugins


def test_rows_are_judged_by_trees_that_never_saw_their_fold():
    """One fold tells its sides by the other sign: what was learned elsewhere must err on it."""
    dice = np.random.default_rng(1)
    folds = np.arange(1200) % 4
    second = dice.random(1200) < 0.5
    value = np.where(second, 1.0, -1.0) * np.where(folds == 0, -1.0, 1.0) + dice.normal(0, 0.1, 1200)
    scores, gains = plugins.load("apart", "lightgbm")(value[:, None], second, folds)
    mine = folds == 0
    assert roc_auc_score(second[mine], scores[mine]) < 0.1
    assert gains.tolist() == [1.0]


def test_categories_and_missing_values_tell_sides_apart_too():
    dice = np.random.default_rng(2)
    second = np.arange(1200) >= 600
    codes = np.where(second, dice.integers(0, 3, 1200) * 2, dice.integers(0, 3, 1200) * 2 + 1).astype(float)
    values = np.column_stack([dice.normal(size=1200), codes])
    folds = dice.integers(0, 4, 1200)
    scores, gains = plugins.load("apart", "lightgbm")(values, second, folds, [1])
    assert roc_auc_score(second, scores) > 0.99
    assert gains[1] > 0.9
    assert gains.sum() == pytest.approx(1)
    values[second, 0] = np.nan
    assert roc_auc_score(second, plugins.load("apart", "lightgbm")(values[:, :1], second, folds)[0]) > 0.99
