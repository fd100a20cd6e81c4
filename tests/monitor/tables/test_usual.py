"""What is usual: the interval of one more window keeps its rate, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.monitor.tables.usual import Bounds, usual


@pytest.mark.parametrize("windows", [4, 8])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_one_more_window_lies_outside_as_often_as_stated(windows, alpha):
    dice = np.random.default_rng(windows)
    odd = 0
    for _ in range(2_000):
        found = np.exp(dice.normal(7, 0.2, windows + 1))
        odd += usual(found[-1], found[:-1].tolist(), 0, Bounds("count", 0.0001, alpha)).odd
    assert odd / 2_000 == pytest.approx(alpha, abs=4 * np.sqrt(alpha * (1 - alpha) / 2_000))


def test_shares_are_held_against_no_less_than_the_luck_of_rows():
    dice = np.random.default_rng(1)
    odd = [
        usual(dice.binomial(200, 0.1) / 200, [0.1] * 8, 200, Bounds("share", 0.0001, 0.05)).odd for _ in range(2_000)
    ]
    assert np.mean(odd) < 0.06


def test_too_few_windows_say_nothing():
    seen = usual(1.0, [5.0, 6.0, 7.0], 0, Bounds("count", 0.3, 0.05))
    assert not seen.judged
    assert not seen.odd
    assert seen.middle == 6.0


def test_a_change_too_small_for_a_word_is_none():
    steady = [1_000_000.0] * 8
    assert not usual(900_000.0, steady, 0, Bounds("count", 0.3, 0.05)).odd
    assert usual(600_000.0, steady, 0, Bounds("count", 0.3, 0.05)).odd
    assert not usual(3_000.0, [1.0] * 8, 0, Bounds("time", 1.0, 0.05, below=False, floor=3_600.0)).odd
