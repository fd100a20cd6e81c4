from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Task
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.multilabel import check, figures
from drivetrain.evaluate.metrics.over import Weighted


@st.composite
def answered(draw):
    """Every label both comes and does not; ties."""
    labels, rows = draw(st.integers(2, 4)), draw(st.integers(4, 40))
    chance = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    truth = chance.integers(0, 2, (rows, labels)).astype(float)
    truth[0], truth[1] = 0.0, 1.0
    steps = draw(st.sampled_from([4, 1000]))
    said = (chance.integers(0, steps, (rows, labels)) + 0.5) / steps
    return Answers(truth, said, Task("multilabel", tuple("abcd"[:labels]))), chance.integers(1, 4, rows).astype(float)


@given(answered())
def test_every_metric_is_scikit_learns(case):
    answers, weights = case
    truth, said = answers.labels.astype(int), answers.predictions
    named = (said >= 0.5).astype(int)
    found = {name: each[0] for name, each in figures(answers, Weighted(weights)).items()}
    for average in ("micro", "macro"):
        theirs = golden.f1_score(truth, named, average=average, sample_weight=weights, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(theirs)
        theirs = golden.average_precision_score(truth, said, average=average, sample_weight=weights)
        assert found[f"{average}_average_precision"] == pytest.approx(theirs)
    assert found["subset_accuracy"] == pytest.approx(golden.accuracy_score(truth, named, sample_weight=weights))
    assert found["hamming_loss"] == pytest.approx(golden.hamming_loss(truth, named, sample_weight=weights))
    each = [golden.log_loss(truth[:, at], said[:, at], sample_weight=weights) for at in range(truth.shape[1])]
    assert found["log_loss"] == pytest.approx(np.mean(each))


def test_labels_are_yes_or_no():
    with pytest.raises(TrainingError, match="0 or 1 of each of 2 labels"):
        check(Answers(np.array([[0.0, 2.0]]), np.array([[0.1, 0.2]]), Task("multilabel", ("a", "b"))), "tags")
