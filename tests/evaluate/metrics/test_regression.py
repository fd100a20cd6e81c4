from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Task
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.over import Weighted
from drivetrain.evaluate.metrics.regression import check, figures

numbers = st.integers(-300, 300).map(lambda number: number / 10)
pairs = st.lists(st.tuples(numbers, numbers, st.integers(0, 3)), min_size=2, max_size=40).filter(
    lambda rows: sum(weight for *_, weight in rows) > 0
)


def answers(rows) -> tuple[Answers, np.ndarray]:
    labels, predictions, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    return Answers(labels, predictions, Task("regression")), weights


@given(pairs)
def test_every_metric_is_scikit_learns(rows):
    asked, weights = answers(rows)
    found = {name: each[0] for name, each in figures(asked, Weighted(weights)).items()}
    given = {"y_true": asked.labels, "y_pred": asked.predictions, "sample_weight": weights}
    assert found["mae"] == pytest.approx(golden.mean_absolute_error(**given))
    assert found["rmse"] == pytest.approx(golden.root_mean_squared_error(**given))
    assert found["pinball"] == pytest.approx(golden.mean_pinball_loss(**given))
    if np.ptp(np.repeat(asked.labels, weights.astype(int))) > 0:
        assert found["r2"] == pytest.approx(golden.r2_score(**given))
    else:
        assert not np.isfinite(found["r2"])
    times = weights.astype(int)
    again, said = np.repeat(asked.labels, times), np.repeat(asked.predictions, times)
    assert found["median_ae"] == pytest.approx(golden.median_absolute_error(again, said))
    assert found["mean_error"] == pytest.approx(np.mean(said - again))
    assert found["within_10_percent"] == np.mean(np.abs(said - again) <= 0.1 * np.abs(again))
    assert (found["mean_predicted"], found["mean_observed"]) == pytest.approx((said.mean(), again.mean()))


def test_what_is_no_number_is_refused():
    for labels, predictions, words in (
        ([np.inf, 1], [1, 1], "labels such as inf"),
        ([1, 1], [np.nan, 1], "predictions such as nan"),
        ([1], [1, 2], "2 predictions"),
        ([], [], "no labelled rows"),
    ):
        with pytest.raises(TrainingError, match=words):
            check(Answers(np.array(labels, float), np.array(predictions, float), Task("regression")), "delay")
