from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drivetrain.data.distance import shift
from drivetrain.data.profile import column_profile
from drivetrain.monitor.distance import distance, noise


def profiled(values):
    return column_profile(pl.Series("x", values))


def test_it_is_the_divergence_of_the_monitors_over_the_references_deciles():
    chance = np.random.default_rng(0)
    before, now = chance.normal(size=20_000), chance.normal(0.5, 1.2, size=5_000)
    value, sampling = shift(profiled(before), profiled(now))
    edges = np.quantile(before, np.linspace(0, 1, 11)[1:-1])
    counts = [np.bincount(np.searchsorted(edges, part), minlength=10).astype(float) for part in (before, now)]
    assert value == pytest.approx(float(distance("psi", *counts)), rel=0.05)
    assert sampling == pytest.approx(noise("psi", 10, 1 / 20_000 + 1 / 5_000, 0.001), rel=0.01)


def test_categories_and_nulls_count_too():
    before = profiled(["a"] * 600 + ["b"] * 400)
    now = profiled(["a"] * 300 + ["b"] * 400 + [None] * 300)
    counts = [np.array([600.0, 400, 0]), np.array([300.0, 400, 300])]
    assert shift(before, now)[0] == pytest.approx(float(distance("psi", *counts)))
    assert shift(before, profiled(["c"] * 500))[0] > 5


def test_values_that_pile_up_are_a_bin_of_their_own():
    before = profiled(np.r_[np.zeros(800), np.arange(200.0)])
    assert shift(before, profiled(np.r_[np.zeros(400), np.arange(0.0, 200.0, 2)]))[0] < 0.01
    assert shift(before, profiled(np.r_[np.zeros(100), np.full(400, 3.0)]))[0] > 0.5


def test_small_batches_do_not_cry_wolf():
    chance = np.random.default_rng(1)
    before = profiled(chance.normal(size=50_000))
    alarms = 0
    for _ in range(300):
        value, sampling = shift(before, profiled(chance.normal(size=int(chance.integers(20, 200)))))
        alarms += value > 0.1 + sampling
    assert alarms == 0


def test_too_few_rows_say_nothing():
    assert shift(profiled([1.0] * 5), profiled([1.0] * 500)) is None
    assert shift(profiled([1.0] * 500), profiled(pl.Series([None] * 50, dtype=pl.Float64)))[0] > 1
