"""What a feature alone tells, against scikit-learn's figures on the same scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from drivetrain.train.leakage.alone import BINS, area, learn, precision, ranked
from drivetrain.train.leakage.subject import sample, standing_for


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from(["normal", "cauchy", "whole", "few"]), st.floats(0.05, 0.5))
def test_figures_are_scikit_learns(seed: int, shape: str, share: float) -> None:
    chance = np.random.default_rng(seed)
    values = {
        "normal": chance.normal(size=600),
        "cauchy": chance.standard_cauchy(600),
        "whole": chance.integers(0, 400, 600).astype(float),
        "few": chance.integers(0, 5, 600).astype(float),
    }[shape]
    values[chance.random(600) < 0.1] = np.nan
    told = np.nan_to_num(values) + chance.normal(size=600) > np.quantile(np.nan_to_num(values), 1 - share)
    if not 5 < told[:300].sum() < 295 or not 5 < told[300:].sum() < 295:
        return
    weights = chance.integers(1, 9, 300).astype(float)
    table = learn(values[:300], told[:300].astype(float))
    bins = table.bins(values[300:])
    scores = table.means[bins]
    assert area(bins, table.means, told[300:]) == pytest.approx(metrics.roc_auc_score(told[300:], scores))
    assert precision(bins, table.means, told[300:], weights) == pytest.approx(
        metrics.average_precision_score(told[300:], scores, sample_weight=weights)
    )


def test_a_table_is_the_mean_label_by_bin_drawn_to_the_mean_of_all() -> None:
    values = np.array([1.0, 1.0, 2.0, np.nan, np.nan])
    labels = np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    table = learn(values, labels)
    assert table.means == pytest.approx([(1 + 5 * 0.8) / 7, (1 + 5 * 0.8) / 6, (2 + 5 * 0.8) / 7])
    assert table.bins(np.array([2.0, 1.0, 7.0, np.nan])).tolist() == [1, 0, 2, 2]  # a value never seen is as null


def test_bins_of_a_number_hold_as_many_rows_each() -> None:
    values = np.random.default_rng(0).standard_cauchy(64_000)
    table = learn(values, np.zeros(64_000))
    counts = np.bincount(table.bins(values))
    assert len(counts) == BINS
    assert counts.max() - counts.min() < 10


def test_ranks_are_scipys_less_one() -> None:
    values = np.random.default_rng(0).integers(0, 9, 200)
    assert np.array_equal(ranked(values), stats.rankdata(values) - 1)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([0, 0, 0, 0, 1, 2]), min_size=1, max_size=300), st.integers(3, 60))
def test_a_rare_label_is_sampled_whole(labels: list[int], most: int) -> None:
    values = np.array(labels, dtype=float)
    picks = sample(values, most)
    assert len(picks) <= max(most, 0) or len(picks) == len(values)
    assert np.array_equal(picks, np.unique(picks))
    kinds, counts = np.unique(values, return_counts=True)
    taken = {kind: int((values[picks] == kind).sum()) for kind in kinds}
    for kind, count in zip(kinds, counts, strict=True):
        assert taken[kind] >= min(count, most // len(kinds))
    weights = standing_for(values, values[picks])
    for kind, count in zip(kinds, counts, strict=True):
        assert weights[values[picks] == kind].sum() == pytest.approx(count)
