from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.monitor.statistics.correction import holm, westfall_young


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_all_intersections(p_values):
    """Each is as likely as the likeliest of all intersections it is in, judged by Bonferroni."""
    many = len(p_values)
    groups = [group for size in range(1, many + 1) for group in combinations(range(many), size)]
    for at, found in enumerate(holm(np.array(p_values))):
        closed = max(min(min(p_values[k] for k in group) * len(group), 1) for group in groups if at in group)
        assert found == pytest.approx(closed, abs=1e-12)


@pytest.mark.truth
@pytest.mark.parametrize("alike", [0.0, 0.9])
def test_any_false_word_at_all_keeps_to_the_rate(alike):
    random = np.random.default_rng(1)
    wrong = 0
    for _ in range(600):
        shared = random.normal(size=(100, 1))
        drawn = np.exp(np.sqrt(alike) * shared + np.sqrt(1 - alike) * random.normal(size=(100, 12)))
        wrong += westfall_young(drawn[0], drawn[1:])[1].min() <= 0.1
    assert wrong / 600 == pytest.approx(0.1, abs=0.037)


def test_what_hangs_together_counts_once():
    random = np.random.default_rng(2)
    one = np.exp(random.normal(size=(999, 1)))
    values = np.full(20, np.quantile(one, 0.99))
    alone, corrected = westfall_young(values, np.repeat(one, 20, axis=1))
    assert corrected.max() == pytest.approx(alone.max())
    assert westfall_young(values, np.exp(random.normal(size=(999, 20))))[1].min() > 0.05
