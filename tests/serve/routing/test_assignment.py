from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from drivetrain.serve.routing.assignment import chosen, uniform
from drivetrain.serve.routing.best import greatest

UNITS = [f"customer-{at}" for at in range(40_000)]


def test_assignment_is_uniform():
    drawn = [uniform("colour", unit) for unit in UNITS]
    counts, _ = np.histogram(drawn, bins=50, range=(0.0, 1.0))
    assert chisquare(counts).pvalue > 1e-4
    assert 0.0 <= min(drawn) < max(drawn) < 1.0


@pytest.mark.parametrize(("one", "other"), [("colour", "price"), ("colour", "colour2"), ("a", "b")])
def test_experiments_assign_independently(one, other):
    drawn = np.array([[uniform(one, unit), uniform(other, unit)] for unit in UNITS])
    counts, _, _ = np.histogram2d(drawn[:, 0], drawn[:, 1], bins=8, range=[(0, 1), (0, 1)])
    assert chisquare(counts.reshape(-1)).pvalue > 1e-4


def test_an_assignment_is_the_same_in_every_process():
    script = "from drivetrain.serve.routing.assignment import uniform; print(uniform('a|b', 'ü/\\ud800'))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert float(told) == uniform("a|b", "ü/\ud800")


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1), st.floats(0, 1))
def test_who_is_in_a_growing_share_stays_in_it(drawn, small, grown):
    small, grown = sorted((small, grown))
    if chosen([small, 1 - small], drawn) == 0:
        assert chosen([grown, 1 - grown], drawn) == 0


def test_shares_that_add_up_to_less_leave_the_rest_to_the_last():
    assert chosen([0.1, 0.2], 0.99) == 1


@pytest.mark.parametrize(
    ("means", "variances"),
    [
        ([0.1, 0.3], [0.01, 0.04]),
        ([0.1, 0.3, 0.2], [0.01, 0.04, 0.0]),
        ([1.0, 1.0, 1.0, 0.5], [0.2, 0.1, 0.4, 2.0]),
    ],
)
def test_the_probability_to_be_greatest_is_that_of_a_draw(means, variances):
    random = np.random.default_rng(1)
    draws = random.normal(means, np.sqrt(variances), size=(400_000, len(means)))
    seen = np.bincount(draws.argmax(axis=1), minlength=len(means)) / len(draws)
    found = greatest(means, variances)
    assert sum(found) == pytest.approx(1.0)
    assert found == pytest.approx(seen.tolist(), abs=0.004)


def test_of_beliefs_without_doubt_the_greatest_is_taken():
    assert greatest([1.0, 3.0, 2.0], [0.0, 0.0, 0.0]) == [0.0, 1.0, 0.0]
