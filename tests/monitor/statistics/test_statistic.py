"""Every statistic against SciPy's, on numbers and on counts; and what Evidently makes of its own example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from drivetrain.core.errors import UnknownName
from drivetrain.monitor.comparison.pooled import pooled_of, sorted_of
from drivetrain.monitor.statistics.chi_square import chi_square, chi_square_of_expected, cohens_w
from drivetrain.monitor.statistics.energy import energy_of_categories
from drivetrain.monitor.statistics.hellinger import hellinger
from drivetrain.monitor.statistics.jensen_shannon import jensen_shannon
from drivetrain.monitor.statistics.psi import psi
from drivetrain.monitor.statistics.statistic import STATISTICS, scale, statistic_of
from drivetrain.monitor.statistics.total_variation import total_variation

THEN = np.array([16.0, 18, 16, 14, 12, 12])
NOW = np.array([16.0, 16, 16, 16, 16, 8])

counts = st.lists(st.integers(0, 400), min_size=5, max_size=5).map(lambda found: np.array([1, *found], float))
values = st.lists(st.integers(-20, 20) | st.floats(-1e6, 1e6), min_size=1, max_size=30)


def test_evidently_says_the_same_of_its_own_example():
    """Evidently 0.7.23: p of chi-square .67309, Hellinger .06812, in its own tests' figures."""
    p_value = stats.chi2.sf(chi_square_of_expected(THEN, NOW), 5)
    assert p_value == pytest.approx(0.67309, abs=5e-6)
    assert p_value == pytest.approx(stats.chisquare(NOW, THEN).pvalue, rel=1e-12)
    assert float(hellinger(THEN, NOW)) == pytest.approx(0.06812, abs=1e-5)


def test_both_samples_err_in_ours():
    whole = stats.chi2_contingency([THEN, NOW], correction=False)
    assert float(chi_square(THEN, NOW)) == pytest.approx(whole.statistic, rel=1e-12)
    assert float(cohens_w(THEN, NOW)) == pytest.approx(np.sqrt(whole.statistic * 2 / 88), rel=1e-12)


@given(counts, counts)
@settings(max_examples=40, deadline=None)
def test_statistics_of_counts_are_scipys(left, right):
    p, q = (left + 0.5) / (left + 0.5).sum(), (right + 0.5) / (right + 0.5).sum()
    assert float(psi(left, right)) == pytest.approx((rel_entr(p, q) + rel_entr(q, p)).sum(), abs=1e-12)
    assert float(jensen_shannon(left, right)) == pytest.approx(jensenshannon(left, right, base=2), abs=1e-7)
    used = (left + right) > 0
    if used.sum() > 1:
        table = stats.chi2_contingency([left[used], right[used]], correction=False)
        assert float(chi_square(left, right)) == pytest.approx(table.statistic, abs=1e-8)
    p, q = left / left.sum(), right / right.sum()
    assert float(total_variation(left, right)) == pytest.approx(np.maximum(p - q, 0).sum(), abs=1e-12)
    assert float(hellinger(left, right)) == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2))
    # Any two categories one apart: corners of a simplex whose edges are 1.
    corners = np.eye(6) / np.sqrt(2)
    apart = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    squared = 2 * p @ apart @ q - p @ apart @ p - q @ apart @ q
    assert float(energy_of_categories(left, right)) ** 2 == pytest.approx(squared, abs=1e-12)


@given(values, values)
@settings(max_examples=60, deadline=None)
def test_distances_between_values_are_scipys_ties_included(left, right):
    found = pooled_of(sorted_of(left), sorted_of(right)).exact()
    points = np.array([*left, *right], float)
    below = [
        np.searchsorted(np.sort(np.array(side, float)), points, side="right") / len(side) for side in (left, right)
    ]
    assert found["ks"] == pytest.approx(np.abs(below[0] - below[1]).max(), abs=1e-12)
    size = max(map(abs, [*left, *right, 1.0]))
    assert found["wasserstein"] == pytest.approx(stats.wasserstein_distance(left, right), abs=1e-9 * size)
    assert found["energy"] == pytest.approx(stats.energy_distance(left, right), abs=1e-6 * np.sqrt(size))


def test_pieces_of_long_columns_add_up():
    random = np.random.default_rng(1)
    left, right = random.normal(size=30_000), np.round(random.normal(0.1, 1, 20_000), 2)
    found = pooled_of(sorted_of(left), sorted_of(right)).exact()
    assert found["ks"] == pytest.approx(stats.ks_2samp(left, right, method="asymp").statistic, abs=1e-12)
    assert found["wasserstein"] == pytest.approx(stats.wasserstein_distance(left, right), rel=1e-9)
    assert found["energy"] == pytest.approx(stats.energy_distance(left, right), rel=1e-9)


def test_nulls_are_the_greatest_value_and_lie_no_further():
    found = pooled_of(sorted_of([0.0, 1.0, np.nan, np.nan]), sorted_of([0.0, 1.0, 0.0, 1.0])).exact()
    assert found["ks"] == pytest.approx(0.5)
    assert found["wasserstein"] == pytest.approx(0.25)
    nothing = pooled_of(sorted_of([np.nan, np.inf]), sorted_of([1.0])).exact()
    assert nothing["ks"] == 1.0


@pytest.mark.parametrize("name", STATISTICS)
def test_it_is_nought_for_equal_shares_and_the_same_both_ways(name):
    random = np.random.default_rng(2)
    left, right = (random.integers(0, 50, 7).astype(float) for _ in range(2))
    statistic = statistic_of(name).counts
    assert float(statistic(left, left)) == pytest.approx(0, abs=1e-7)
    assert float(statistic(left, right)) == pytest.approx(float(statistic(right, left)), rel=1e-12)
    many = np.stack([left, right, left + right])
    assert statistic(many[:, None], many[None]).shape == (3, 3)


def test_a_scale_is_a_normal_standard_deviation_and_never_nought():
    low, high = stats.norm.ppf([0.05, 0.95], 7, 3)
    assert scale(low, high, 0.0) == pytest.approx(3, rel=1e-3)
    assert scale(2, 2, 5.0) == 5.0
    assert scale(2, 2, 0.0) == 1.0


def test_an_unknown_statistic_is_named():
    with pytest.raises(UnknownName, match="psi, js, ks, chi2, hellinger, tv, wasserstein or energy"):
        statistic_of("mmd")
