import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from drivetrain.core.errors import UnknownName
from drivetrain.monitor.distance import distance, noise
from drivetrain.monitor.statistics.null import root_area
from drivetrain.monitor.statistics.statistic import STATISTICS

counts = st.lists(st.integers(0, 500), min_size=5, max_size=5).map(lambda found: np.array([1, *found], float))


@given(counts, counts)
def test_every_statistic_is_scipys(left, right):
    p, q = (left + 0.5) / (left + 0.5).sum(), (right + 0.5) / (right + 0.5).sum()
    assert distance("psi", left, right) == pytest.approx((rel_entr(p, q) + rel_entr(q, p)).sum(), abs=1e-12)
    assert distance("js", left, right) == pytest.approx(jensenshannon(left, right, base=2), abs=1e-7)
    rows = [np.repeat(np.arange(6), found.astype(int)) for found in (left, right)]
    assert distance("ks", left, right) == pytest.approx(stats.ks_2samp(*rows).statistic, abs=1e-12)


@given(counts, counts)
def test_it_is_nought_only_for_equal_shares_and_the_same_both_ways(left, right):
    for name in ("psi", "js", "ks"):
        assert distance(name, left, left) == pytest.approx(0, abs=1e-7)
        assert distance(name, left, right) == pytest.approx(distance(name, right, left), abs=1e-12)


@pytest.mark.truth
@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("rows", [300, 3000])
def test_sampling_alone_exceeds_its_bound_no_more_often_than_it_says(name, rows):
    random = np.random.default_rng(3)
    shares = np.full(20, 0.05)
    left, right = (random.multinomial(rows, shares, size=4000).astype(float) for _ in range(2))
    over = (distance(name, left, right) > noise(name, 20, 2 / rows, 0.05)).mean()
    assert over < 0.065


@pytest.mark.parametrize("name", ["wasserstein", "energy"])
@pytest.mark.parametrize("shares", [np.full(20, 0.05), np.array([0.9, *np.full(10, 0.01)])])
def test_sampling_alone_moves_distances_between_values_no_further_than_it_says(name, shares):
    random = np.random.default_rng(3)
    widths = random.exponential(size=len(shares))
    left, right = (random.multinomial(500, shares, size=4000).astype(float) for _ in range(2))
    over = distance(name, left, right, widths) > noise(
        name, len(shares), 2 / 500, 0.05, root_area(np.minimum(np.cumsum(shares), 1), widths, name)
    )
    assert over.mean() < 0.06


def test_an_unknown_statistic_is_named():
    with pytest.raises(UnknownName, match="no drift statistic is called 'mmd'"):
        distance("mmd", np.ones(2), np.ones(2))
