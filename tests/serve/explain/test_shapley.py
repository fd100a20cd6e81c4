from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.serve.explain.shapley import Sampling
from serve.explain.models import exact_shapley

CHANCE = np.random.default_rng(3)
BACKGROUND = CHANCE.normal(size=(128, 5))
ROW = np.array([1.5, -2.0, 0.5, 3.0, -1.0])


def by_twos(rows: np.ndarray) -> np.ndarray:
    a, b, c, d, _ = rows.T
    return a * b + 3 * np.sin(c) * d + np.where(a > 0, d, -b) + 7


def by_three(rows: np.ndarray) -> np.ndarray:
    a, b, c, d, _ = rows.T
    return np.where(a * b > 0, c * d, np.abs(d)) + (a > 0) * (c > 0) * (d > 0)


def test_features_that_interact_by_twos_are_exact():
    """Each order and its reverse give every pair's interaction to both halves alike."""
    found = Sampling(by_twos, BACKGROUND, seed=1).explain(ROW)
    assert np.allclose(found.contributions[0], exact_shapley(by_twos, BACKGROUND, ROW.tolist()), atol=1e-12)
    assert found.base[0] == pytest.approx(by_twos(BACKGROUND).mean())


@pytest.mark.parametrize("seed", range(8))
def test_any_interaction_lies_within_its_standard_errors(seed):
    found = Sampling(by_three, BACKGROUND, seed=seed).explain(ROW)
    expected = exact_shapley(by_three, BACKGROUND, ROW.tolist())
    away = np.abs(found.contributions[0] - expected)
    assert (away <= 4.5 * found.errors[0] + 1e-12).all()
    assert away.max() > 0, "an estimate, not the sum over all sets"
    assert found.contributions[0][4] == 0.0, "a feature that the model does not read"


matrices = st.integers(1, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.floats(-1e3, 1e3) | st.just(float("nan")), min_size=width, max_size=width), min_size=2, max_size=9
    )
)


@settings(max_examples=60, deadline=None)
@given(matrices, st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_contributions_and_base_add_up_to_the_answer(numbers, seed, outputs):
    *background, row = np.array(numbers)
    weights = np.random.default_rng(seed).normal(size=(len(row), outputs))

    def tangled(rows):
        known = np.nan_to_num(rows, nan=-7.0)
        said = np.tanh(known @ weights) + known.prod(axis=1, keepdims=True) / 1e9 + np.isnan(rows).sum(1)[:, None]
        return said[:, 0] if outputs == 1 else said

    found = Sampling(tangled, np.array(background), seed).explain(row)
    assert found.contributions.shape == found.errors.shape == (outputs, len(row))
    answer = np.asarray(tangled(row[None, :])).reshape(-1)
    assert np.allclose(found.base + found.contributions.sum(axis=1), answer, rtol=1e-9, atol=1e-9)


def test_the_same_row_is_explained_the_same_way():
    first, second = (Sampling(by_three, BACKGROUND, seed=5).explain(ROW) for _ in range(2))
    assert np.array_equal(first.contributions, second.contributions)
    sampling = Sampling(by_three, BACKGROUND, seed=5)
    sampling.explain(-ROW)
    assert np.array_equal(sampling.explain(ROW).contributions, first.contributions)


def test_many_features_are_asked_about_in_pieces():
    """No matrix holds every step of every order at once."""
    largest = 0

    def sums(rows):
        nonlocal largest
        largest = max(largest, rows.size)
        return rows.sum(axis=1)

    background = CHANCE.normal(size=(128, 120))
    found = Sampling(sums, background, seed=0).explain(np.ones(120))
    assert largest <= 1 << 19
    assert np.allclose(found.contributions[0], 1 - background.mean(axis=0))
