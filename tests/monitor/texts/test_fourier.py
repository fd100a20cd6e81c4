"""Random Fourier features against the kernel itself, pair by pair."""

import numpy as np
import pytest

from drivetrain.monitor.texts.fourier import Rows, apart, fourier_of, median_distance, unbiased


def rows_of(dense) -> Rows:
    """The same rows without their zeros."""
    at, values, start = [], [], [0]
    for row in dense:
        some = np.flatnonzero(row)
        at += some.tolist()
        values += row[some].tolist()
        start.append(len(at))
    return Rows(np.array(start), np.array(at, np.int32), np.array(values, np.float32), dense.shape[1])


def by_pairs(first, second, width: float) -> float:
    """The unbiased estimate of Gretton and others (2012), equation 3, over all pairs."""

    def kernel(one, two):
        return np.exp(-((one[:, None] - two[None]) ** 2).sum(axis=2) / (2 * width**2))

    n, m = len(first), len(second)
    within = [kernel(side, side) for side in (first, second)]
    own = [(found.sum() - np.trace(found)) / (len(found) * (len(found) - 1)) for found in within]
    return float(sum(own) - 2 * kernel(first, second).sum() / (n * m))


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_the_discrepancy_is_that_of_all_pairs_within_what_is_stated(shift):
    """Of D directions an inner product errs by 1/√(2D) at most; means over pairs by less: a fortieth for 4,096."""
    dice = np.random.default_rng(3)
    first, second = dice.normal(size=(150, 6)), dice.normal(size=(90, 6)) + shift
    exact = by_pairs(first, second, median_distance(np.vstack([first, second])))
    found = []
    for seed in range(5):
        features = fourier_of(np.vstack([first, second]), 4_096, seed)
        groups = np.repeat([0, 1], [150, 90])
        sums = features.sums(np.vstack([first, second]).astype(np.float32), groups, 2)
        found.append(unbiased(sums[0], 150, sums[1], 90))
    assert np.mean(found) == pytest.approx(exact, abs=0.003)
    assert np.std(found) < 1 / np.sqrt(2 * 4_096)


def test_the_median_is_that_of_all_pairs():
    dice = np.random.default_rng(5)
    points = dice.normal(size=(40, 3))
    every = [np.linalg.norm(points[i] - points[j]) for i in range(40) for j in range(i)]
    assert median_distance(points) == pytest.approx(np.median(every))
    assert median_distance(np.ones((5, 2))) == 1.0
    assert median_distance(np.vstack([np.zeros((9, 2)), [[3.0, 4.0]]])) == pytest.approx(5.0)


def test_few_numbers_a_row_are_the_rows_written_out():
    dice = np.random.default_rng(4)
    dense = dice.normal(size=(9_000, 12)) * (dice.random((9_000, 12)) < 0.2)
    dense[17] = dense[-1] = 0.0
    features = fourier_of(dense[:100], 16)
    groups = dice.integers(-1, 7, len(dense))
    told = features.sums(rows_of(dense), groups, 7)
    assert np.allclose(told, features.sums(dense.astype(np.float32), groups, 7), atol=1e-2)
    angles = dense @ features.directions
    whole = np.hstack([np.cos(angles), np.sin(angles)]) / 4
    assert np.allclose(told[3], whole[groups == 3].sum(axis=0), atol=1e-2)
    assert np.allclose(rows_of(dense).dense(np.array([17, 3]), 5), dense[[17, 3], :5], atol=1e-6)


def test_a_distance_of_sums_is_that_of_means():
    one, two = np.array([[2.0, 4.0, 2.0]]), np.array([3.0, 0.0, 1.0])
    assert apart(one, two)[0] == pytest.approx(np.hypot(1 - 3, 2))
    assert unbiased(np.ones(3), 1, np.ones(3), 9) == 0.0  # of one row there are no pairs
