from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Task
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.multiclass import check, confusion, figures
from drivetrain.evaluate.metrics.over import Weighted


@st.composite
def answered(draw):
    """Every class comes, many ties, whole weights."""
    classes, rows = draw(st.integers(2, 5)), draw(st.integers(5, 50))
    chance = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    truth = chance.integers(0, classes, rows)
    truth[:classes] = np.arange(min(classes, rows))
    said = chance.integers(1, draw(st.sampled_from([3, 1000])), (rows, classes)) + 0.5
    weights = chance.integers(1, 4, rows).astype(float)
    task = Task("multiclass", tuple("abcde"[:classes]))
    return Answers(truth.astype(float), said / said.sum(axis=1, keepdims=True), task), weights


@given(answered())
def test_every_metric_is_scikit_learns(case):
    answers, weights = case
    truth, said = answers.labels.astype(int), answers.predictions
    classes = list(range(said.shape[1]))
    guess = said.argmax(axis=1)
    expected = {
        "log_loss": golden.log_loss(truth, said, labels=classes, sample_weight=weights),
        "accuracy": golden.accuracy_score(truth, guess, sample_weight=weights),
        "balanced_accuracy": golden.balanced_accuracy_score(truth, guess, sample_weight=weights),
        "macro_f1": golden.f1_score(truth, guess, average="macro", sample_weight=weights),
        "brier": golden.brier_score_loss(truth, said, labels=classes, scale_by_half=True, sample_weight=weights),
    }
    for average in ("macro", "weighted"):
        each = [golden.roc_auc_score(truth == at, said[:, at], sample_weight=weights) for at in classes]
        share = [weights[truth == at].sum() for at in classes] if average == "weighted" else None
        expected[f"{average}_roc_auc"] = np.average(each, weights=share)
    found = figures(answers, Weighted(weights))
    assert expected.keys() | {"ece"} == found.keys()
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-9), name
    assert np.array_equal(confusion(answers), golden.confusion_matrix(truth, guess, labels=classes))


@given(answered())
def test_areas_averaged_are_scikit_learns_one_against_rest(case):
    answers, _ = case
    truth, said = answers.labels.astype(int), answers.predictions
    found = figures(answers, Weighted(np.ones(answers.rows)))
    for average in ("macro", "weighted"):
        if said.shape[1] > 2:  # of two scikit-learn wants the second alone
            theirs = golden.roc_auc_score(truth, said, multi_class="ovr", average=average)
            assert found[f"{average}_roc_auc"][0] == pytest.approx(theirs)


def test_calibration_error_is_that_of_the_likeliest_class():
    said = np.array([[0.9, 0.05, 0.05]] * 10 + [[0.2, 0.6, 0.2]] * 10)
    truth = np.array([0.0] * 8 + [1.0] * 2 + [1.0] * 6 + [2.0] * 4)
    found = figures(Answers(truth, said, Task("multiclass", ("a", "b", "c"))), Weighted(np.ones(20)))
    assert found["ece"][0] == pytest.approx((10 * 0.1 + 10 * 0.0) / 20)


def test_a_class_that_does_not_come_is_in_no_average():
    said = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    found = figures(Answers(np.array([0.0, 1.0, 1.0]), said, Task("multiclass", ("a", "b", "c"))), Weighted(np.ones(3)))
    assert found["balanced_accuracy"][0] == pytest.approx((1 + 0.5) / 2)
    assert found["macro_roc_auc"][0] == pytest.approx(1.0)


def test_what_is_no_probability_of_every_class_is_refused():
    task = Task("multiclass", ("a", "b", "c"))
    with pytest.raises(TrainingError, match=r"add up to 0\.9"):
        check(Answers(np.zeros(1), np.array([[0.3, 0.3, 0.3]]), task), "iris")
    with pytest.raises(TrainingError, match=r"shape \(1, 2\); expected \(1, 3\)"):
        check(Answers(np.zeros(1), np.array([[0.5, 0.5]]), task), "iris")
