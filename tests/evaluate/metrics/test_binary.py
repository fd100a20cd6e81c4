import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from drivetrain.core.errors import TrainingError, UnknownName
from drivetrain.evaluate import metrics
from drivetrain.evaluate.ranking import Ranking


@st.composite
def scored(draw):
    """Both classes there, many ties, weights of zero among others."""
    rows = draw(st.integers(2, 60))
    labels = np.array(draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=rows, max_size=rows)))
    labels[:2] = (0.0, 1.0)
    levels = draw(st.sampled_from([2, 5, 1000]))
    scores = np.array(draw(st.lists(st.integers(0, levels), min_size=rows, max_size=rows))) / levels
    weights = np.array(draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows)), dtype=float)
    weights[:2] = np.maximum(weights[:2], 1.0)
    return labels, scores, weights


@given(scored())
def test_every_metric_is_scikit_learns(case):
    labels, scores, weights = case
    peers = {
        metrics.average_precision: golden.average_precision_score,
        metrics.roc_auc: golden.roc_auc_score,
        metrics.brier: golden.brier_score_loss,
    }
    for ours, theirs in peers.items():
        assert ours(labels, scores) == pytest.approx(theirs(labels, scores), abs=1e-12)
        assert ours(labels, scores, weights) == pytest.approx(theirs(labels, scores, sample_weight=weights), abs=1e-12)
    inside = np.clip(scores, 0.001, 0.999)
    assert metrics.log_loss(labels, inside, weights) == pytest.approx(
        golden.log_loss(labels, inside, sample_weight=weights), abs=1e-12
    )


@given(scored())
def test_whole_weights_are_rows_repeated(case):
    labels, scores, weights = case
    times = weights.astype(np.int64)
    ranking = Ranking(labels, scores)
    found = ranking.areas(times[ranking.order])
    again_labels, again_scores = np.repeat(labels, times), np.repeat(scores, times)
    assert found.average_precision == pytest.approx(golden.average_precision_score(again_labels, again_scores))
    assert found.roc_auc == pytest.approx(golden.roc_auc_score(again_labels, again_scores))


@given(scored(), st.floats(0.05, 0.95))
def test_average_precision_at_a_rate_is_that_of_reweighted_positives(case, rate):
    labels, scores, weights = case
    positives, negatives = weights[labels == 1].sum(), weights[labels == 0].sum()
    lifted = np.where(labels == 1, weights * rate / (1 - rate) * negatives / positives, weights)
    ranking = Ranking(labels, scores)
    found = ranking.areas(weights[ranking.order], rate).average_precision_at_rate
    assert found == pytest.approx(golden.average_precision_score(labels, scores, sample_weight=lifted))


def test_one_class_has_no_ranking_metric():
    labels = np.zeros(5)
    assert math.isnan(metrics.average_precision(labels, np.linspace(0, 1, 5)))
    assert math.isnan(metrics.roc_auc(labels + 1, np.linspace(0, 1, 5)))


def test_calibration_error_by_hand():
    predictions = np.repeat([0.1, 0.9], 10)
    labels = np.array([1] * 3 + [0] * 7 + [1] * 9 + [0.0])
    assert metrics.ece(labels, predictions) == pytest.approx((10 * 0.2 + 10 * 0.0) / 20)


def test_gain_is_positive_when_better():
    assert metrics.metric_of("roc_auc").gain(0.8, 0.7) == pytest.approx(0.1)
    assert metrics.metric_of("log_loss").gain(0.5, 0.7) == pytest.approx(0.2)
    assert metrics.metric_of("calibration_gap").gain(-0.01, 0.05) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        ([], [], "no labelled rows"),
        ([0, 1], [0.1], "1 predictions"),
        ([0, 2], [0.1, 0.2], "a label of 2"),
        ([0, math.nan], [0.1, 0.2], "a label of nan"),
        ([0, 1], [0.1, 1.2], "outside 0 to 1"),
        ([0, 1], [0.1, math.nan], "outside 0 to 1"),
    ],
)
def test_what_can_not_be_measured_is_named(labels, predictions, words):
    with pytest.raises(TrainingError, match=words):
        metrics.check_rows(np.array(labels, float), np.array(predictions, float), "late")


def test_an_unknown_metric_is_named_with_those_there_are():
    with pytest.raises(UnknownName, match="average_precision"):
        metrics.metric_of("luck")
