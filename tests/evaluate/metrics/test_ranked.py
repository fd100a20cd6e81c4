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
from drivetrain.evaluate.metrics.ranked import check, figures, judged


@st.composite
def answered(draw):
    """Groups of two rows or more, in any order, with ties; some without a relevant row."""
    chance = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    sizes = draw(st.lists(st.integers(2, 14), min_size=1, max_size=6))
    groups = chance.permutation(np.repeat(np.arange(len(sizes)) * 7 - 3, sizes))
    labels = chance.integers(0, draw(st.sampled_from([2, 4])), len(groups)).astype(float)
    labels[0] = 1.0
    scores = chance.integers(0, draw(st.sampled_from([3, 1000])), len(groups)).astype(float)
    return Answers(labels, scores, Task("ranking"), groups)


@given(answered(), st.sampled_from([1, 5, 10]))
def test_ndcg_is_scikit_learns_ties_and_all(answers, depth):
    each = []
    for group in np.unique(answers.groups):
        mine = answers.groups == group
        if answers.labels[mine].any():
            gains, scores = 2.0 ** answers.labels[mine] - 1, answers.predictions[mine]
            each.append(golden.ndcg_score([gains], [scores], k=depth))
    found = figures(answers, Weighted(np.ones(answers.rows)))
    assert found[f"ndcg@{depth}"][0] == pytest.approx(np.mean(each))
    assert judged(answers) == len(each)


@given(answered(), st.sampled_from([1, 5, 10]))
def test_precision_and_first_place_by_hand(answers, depth):
    precisions, firsts, whole = [], [], []
    for group in np.unique(answers.groups):
        mine = answers.groups == group
        rows = sorted(zip(-answers.predictions[mine], answers.labels[mine] > 0, strict=True))
        relevant = [hit for _, hit in rows]
        if any(relevant):
            at = [sum(relevant[: place + 1]) / (place + 1) for place, hit in enumerate(relevant[:depth]) if hit]
            precisions.append(sum(at) / min(sum(relevant), depth))
            firsts.append(1 / (relevant.index(True) + 1))
            whole.append(len(set(answers.predictions[mine])) == len(relevant) <= depth)
    found = figures(answers, Weighted(np.ones(answers.rows)))
    assert found[f"map@{depth}"][0] == pytest.approx(np.mean(precisions))
    assert found["mrr"][0] == pytest.approx(np.mean(firsts))
    if all(whole):  # without ties or a cut it is scikit-learn's average precision
        theirs = [
            golden.average_precision_score(answers.labels[mine] > 0, answers.predictions[mine])
            for group in np.unique(answers.groups)
            if answers.labels[mine := answers.groups == group].any()
        ]
        assert found[f"map@{depth}"][0] == pytest.approx(np.mean(theirs))


def test_what_can_not_be_ranked_is_refused():
    one = np.ones(2)
    with pytest.raises(TrainingError, match="which rows belong together"):
        check(Answers(one, one, Task("ranking")), "offers")
    with pytest.raises(TrainingError, match="a relevance of -1"):
        check(Answers(-one, one, Task("ranking"), np.zeros(2, int)), "offers")
    with pytest.raises(TrainingError, match="no row is relevant"):
        check(Answers(0 * one, one, Task("ranking"), np.zeros(2, int)), "offers")
