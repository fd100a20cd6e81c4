"""What may be looked at any time is looked at all the time, in simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom

from drivetrain.experiment.sequential import difference, mean_of, rate_above

LOOKS = range(20, 2001, 20)
RUNS = 400
ALPHA = 0.05


@pytest.mark.parametrize(("bad", "of", "limit"), [(0, 10, 0.1), (3, 10, 0.1), (40, 100, 0.25), (1, 3, 0.9)])
def test_the_evidence_is_the_mixture_it_says(bad, of, limit):
    likelihood = quad(lambda p: binom.pmf(bad, of, p), limit, 1)[0] / (1 - limit)
    assert rate_above(bad, of, limit) == pytest.approx(likelihood / binom.pmf(bad, of, limit), rel=1e-6)


def test_evidence_at_the_edges():
    assert rate_above(0, 0, 0.1) == 1.0
    assert rate_above(1, 5, 0.0) == math.inf
    assert rate_above(5, 5, 1.0) == 1.0
    assert rate_above(90_000, 100_000, 0.01) > 1e100
    assert rate_above(0, 100_000, 0.5) == 0.0


@pytest.mark.truth
@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_a_rate_at_its_limit_is_rarely_taken_for_one_above(rate):
    random = np.random.default_rng(2)
    seen = np.cumsum(random.random((RUNS, max(LOOKS))) < rate, axis=1)
    broken = [any(rate_above(int(run[at - 1]), at, rate) >= 1 / ALPHA for at in LOOKS) for run in seen]
    assert np.mean(broken) <= ALPHA


@pytest.mark.truth
def test_a_rate_three_times_its_limit_is_soon_found():
    random = np.random.default_rng(3)
    seen = np.cumsum(random.random((RUNS, 2000)) < 0.06, axis=1)
    found = [next((at for at in LOOKS if rate_above(int(run[at - 1]), at, 0.02) >= 1 / ALPHA), 9999) for run in seen]
    assert np.median(found) < 500
    assert np.mean(np.array(found) < 2000) > 0.99


def _losses(random, rows, gap, share):
    """Squared errors of two arms whose common level drifts while the share grows."""
    treated = random.random(rows) < share
    level = 0.2 + 0.1 * np.linspace(0, 1, rows)
    values = random.beta(2, 8, rows) + level + gap * treated
    return values, treated.astype(float), np.where(treated, share, 1 - share)


def test_a_difference_that_is_not_there_is_rarely_found():
    """Shares change as levels do: weighing by what was drawn keeps one from being taken for the other."""
    random = np.random.default_rng(4)
    share = np.repeat([0.1, 0.5], 1000)
    wrong = 0
    for _ in range(RUNS):
        values, treated, probability = _losses(random, 2000, 0.0, share)
        found = [
            difference(values[:at], treated[:at], probability[:at], alpha=ALPHA, expected=1000)
            for at in LOOKS
            if at >= 200
        ]
        wrong += any(one.low > 0 or one.high < 0 for one in found)
    assert wrong / RUNS <= ALPHA


def test_a_difference_that_is_there_is_found_and_told():
    random = np.random.default_rng(5)
    means = []
    for _ in range(100):
        values, treated, probability = _losses(random, 4000, 0.08, np.full(4000, 0.3))
        found = difference(values, treated, probability, alpha=ALPHA, expected=2000)
        assert found.low > 0
        means.append(found.mean)
    assert np.mean(means) == pytest.approx(0.08, abs=0.005)


def test_few_values_say_nothing():
    assert mean_of(np.array([1.0]), alpha=0.05, expected=100).low == -math.inf
    assert difference(np.array([]), np.array([]), np.array([]), alpha=0.05, expected=100).high == math.inf
