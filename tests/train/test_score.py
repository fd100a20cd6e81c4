from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from drivetrain.core.errors import UsageError
from drivetrain.train.score import score, sign

pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


@given(pairs)
def test_agrees_with_scikit_learn_ties_included(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([float(label) for label, _ in rows])
    scores = np.array([value / 8 for _, value in rows])
    expected = {
        "average_precision": metrics.average_precision_score(labels, scores),
        "roc_auc": metrics.roc_auc_score(labels, scores),
        "log_loss": metrics.log_loss(labels, np.clip(scores, 1e-15, 1 - 1e-15)),
        "brier": metrics.brier_score_loss(labels, scores),
        "rmse": metrics.root_mean_squared_error(labels, scores),
    }
    for metric, value in expected.items():
        assert score(metric, labels, scores) == pytest.approx(value, abs=1e-9)


def test_each_knows_which_way_is_better() -> None:
    assert [sign(metric) for metric in ("roc_auc", "log_loss")] == [1.0, -1.0]


def test_a_metric_nobody_knows() -> None:
    with pytest.raises(UsageError, match="average_precision"):
        score("luck", np.zeros(1), np.zeros(1))
