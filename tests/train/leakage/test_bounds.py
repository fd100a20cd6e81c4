"""Bounds on chance, against SciPy, by counting, and by simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from drivetrain.train.leakage.bounds import (
    area_bounds,
    log_chance_of_pieces,
    log_choose,
    precision_bounds,
    rank_bounds,
    share_bounds,
)


@settings(deadline=None)
@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.025, 0.001]))
def test_bounds_of_a_share_are_scipys(trials: int, share: float, chance: float) -> None:
    hits = round(share * trials)
    theirs = stats.binomtest(hits, trials).proportion_ci(1 - 2 * chance, "exact")
    assert share_bounds(hits, trials, chance) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize("positives", [5, 40])
@pytest.mark.parametrize("true", [0.5, 0.8, 0.95])
def test_bounds_of_an_area_cover_it(positives: int, true: float) -> None:
    """Scores that are normal apart, and heavy-tailed ones with ties: two shapes with the area they should have."""
    chance = np.random.default_rng(positives)
    distance = math.sqrt(2) * stats.norm.ppf(true)
    missed = 0
    for _ in range(400):
        yes, no = chance.normal(distance, 1, positives), chance.normal(0, 1, 200)
        found = (yes[:, None] > no).mean()
        missed += not area_bounds(float(found), positives, 200, 0.025)[0] <= true
    assert missed <= stats.binom.ppf(0.999, 400, 0.025)


def test_a_perfect_order_of_few_rows_says_little() -> None:
    assert area_bounds(1.0, 5, 1_000, 0.01)[0] == pytest.approx(0.01**0.2)
    assert precision_bounds(1.0, 200, 0.01)[0] == pytest.approx(0.01 ** (1 / 200))


def test_bounds_of_a_rank_correlation_cover_it() -> None:
    chance = np.random.default_rng(1)
    true = 6 / math.pi * math.asin(0.6 / 2)  # Spearman's of a normal pair with Pearson's 0.6
    missed = 0
    for _ in range(400):
        one = chance.normal(size=200)
        other = 0.6 * one + 0.8 * chance.normal(size=200)
        low, high = rank_bounds(stats.spearmanr(one, other).statistic, 200, 0.025)
        missed += not low <= true <= high
    assert missed <= stats.binom.ppf(0.999, 400, 0.05)
    assert rank_bounds(0.9, 5, 0.01) == (-1.0, 1.0)


@pytest.mark.parametrize(("rows", "others", "pieces"), [(8, 4, 2), (10, 3, 3), (11, 5, 4)])
def test_the_chance_of_few_pieces_is_no_less_than_counted(rows: int, others: int, pieces: int) -> None:
    few = 0
    for places in itertools.combinations(range(rows), others):
        labels = np.isin(np.arange(rows), places)
        few += int(np.count_nonzero(np.diff(labels)) + 1 <= pieces)
    counted = few / math.comb(rows, others)
    bound = math.exp(log_chance_of_pieces(rows, others, pieces, 2))
    assert counted <= bound
    assert log_choose(rows, others) == pytest.approx(math.log(math.comb(rows, others)))
