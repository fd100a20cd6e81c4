from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.clock import DAY
from drivetrain.evaluate.bootstrap import MOST_CLUSTERS, Bootstrap, Resamples, draw
from drivetrain.evaluate.pairs import block_pairs
from drivetrain.evaluate.ranking import Ranking

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), max_size=40)


@given(rows)
def test_counts_every_pair(found):
    labels, scores, codes = (
        np.array([row[at] for row in found], dtype) for at, dtype in enumerate((float, float, int))
    )
    expected = np.zeros((4, 4))
    for positive in np.flatnonzero(labels == 1):
        for negative in np.flatnonzero(labels == 0):
            gap = scores[positive] - scores[negative]
            expected[codes[positive], codes[negative]] += 1.0 if gap > 0 else 0.5 if gap == 0 else 0.0
    assert np.array_equal(block_pairs(labels, scores, codes, 4), expected)


@given(rows, st.integers(0, 9))
def test_resampled_areas_are_those_of_the_rows_drawn(found, seed):
    if not found:
        return
    labels, scores, codes = (
        np.array([row[at] for row in found], dtype) for at, dtype in enumerate((float, float, int))
    )
    counts = np.random.default_rng(seed).multinomial(4, [0.25] * 4, size=8)
    ranking = Ranking(labels, scores)
    slow = [
        ranking.areas(np.take(weights, ranking.order)).roc_auc
        for weights in [np.ones(4, int), *counts]
        for weights in [weights[codes]]
    ]
    quick = Resamples(codes, counts, 0.95).roc_auc(labels, scores)
    assert quick == pytest.approx(slow, nan_ok=True)
    few = Resamples(codes, counts[:2], 0.95).roc_auc(labels, scores)  # fewer draws than blocks: the other way
    assert few == pytest.approx(slow[:3], nan_ok=True)


def test_clusters_are_drawn_whole_whenever_their_rows_are():
    who = np.repeat([30, 10, 20], [4, 1, 2])
    over = draw(np.arange(7) * DAY, Bootstrap(replicates=40, cluster="patient"), who)
    for weights in over.each():
        assert len({tuple(weights[who == one]) for one in (30,)}) == 1
        assert all(len(set(weights[who == one])) == 1 for one in (10, 20, 30))
    assert over.blocks == 3


def test_many_clusters_are_thrown_together_in_lots():
    over = draw(np.zeros(5_000, np.int64), Bootstrap(replicates=5), np.arange(5_000) // 2)
    assert over.counts.shape == (5, MOST_CLUSTERS)
    assert np.array_equal(over.codes[::2], over.codes[1::2])
    assert set(np.bincount(over.codes)) == {4, 6}


def test_intervals_of_repeated_rows_are_as_wide_as_those_of_the_subjects():
    """Each subject ten times over tells no more than once: by cluster the interval is that of one row each."""
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 2, 400).astype(float)
    scores = chance.random(400) + 0.5 * labels
    one = draw(np.zeros(400, np.int64), Bootstrap(), np.arange(400)).roc_auc(labels, scores)
    ten = draw(np.zeros(4_000, np.int64), Bootstrap(), np.arange(4_000) // 10)
    assert ten.roc_auc(np.repeat(labels, 10), np.repeat(scores, 10)) == pytest.approx(one)
