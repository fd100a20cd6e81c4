import numpy as np
import pytest
from scipy import stats

from drivetrain.core.clock import DAY
from drivetrain.monitor.estimate.domain import density_ratio, effective_rows, weights_of
from drivetrain.monitor.estimate.sample import Binned, take_sample
from monitor.estimate.world import SCHEMA, rows


def weighed(shift, seed=1):
    values, said, labels, ats = rows(seed, 30, 60)
    sample = take_sample(values, said, labels, ats // DAY, SCHEMA)
    here, _, _, when = rows([seed, 1], 7, 280, shift=shift)
    ratio = density_ratio(
        sample.codes, sample.encode(here), (sample.days, when // DAY), [each.bins for each in sample.columns]
    )
    return ratio, values, here


def test_without_a_shift_rows_can_not_be_told_apart_and_count_alike():
    ratio, _, _ = weighed(0.0)
    assert ratio.told == pytest.approx(0.5, abs=0.03)
    assert ratio.effective > 0.9 * len(ratio.weights)


def test_weighted_rows_are_like_the_window():
    ratio, values, here = weighed(0.8)
    assert ratio.weights.sum() == pytest.approx(len(values))
    for at in range(3):
        assert np.average(values[:, at], weights=ratio.weights) == pytest.approx(here[:, at].mean(), abs=0.12)
    true = stats.norm.pdf(values[:, 0], 0.8) / stats.norm.pdf(values[:, 0])
    assert np.corrcoef(np.log(ratio.weights), np.log(true))[0, 1] > 0.9
    assert ratio.told == pytest.approx(stats.norm.cdf(0.8 / np.sqrt(2)), abs=0.03)
    assert ratio.effective == pytest.approx(effective_rows(true), rel=0.25)
    assert np.abs(ratio.parts[:, 0]).mean() > 5 * np.abs(ratio.parts[:, 1:]).mean()


def test_no_row_counts_for_more_than_thirty():
    weights = weights_of(np.array([5.0, *np.zeros(99)]))
    assert weights.sum() == pytest.approx(100)
    assert weights.max() == pytest.approx(30, abs=1)
    assert effective_rows(np.ones(7)) == 7


def test_bins_and_their_words():
    numbers = Binned(name="delay", edges=(1.0, 5.0))
    assert numbers.codes(np.array([np.nan, 0.5, 1.0, 3.0, 9.0])).tolist() == [0, 1, 1, 2, 3]
    assert [numbers.words(code) for code in range(4)] == [
        "delay is missing",
        "delay is 1 or less",
        "delay is above 1, to 5",
        "delay is above 5",
    ]
    names = Binned(name="carrier", frequent=(0.0, 2.0), names=("AA", "UA"))
    assert names.codes(np.array([0.0, 1.0, 2.0, np.nan, 7.0])).tolist() == [2, 1, 3, 0, 1]
    assert [names.words(code) for code in range(4)] == [
        "carrier is missing",
        "carrier is another",
        "carrier is AA",
        "carrier is UA",
    ]
    assert (numbers.bins, names.bins) == (4, 4)


def test_all_null_constant_and_infinite_columns_have_bins():
    values = np.column_stack([np.full(300, np.nan), np.zeros(300), np.tile([1.0, np.inf, 0.0], 100)])
    sample = take_sample(values, np.full(300, 0.5), np.zeros(300), np.arange(300), SCHEMA)
    assert sample.codes[:, 0].tolist() == [0] * 300
    assert set(sample.codes[:, 1].tolist()) == {1}
    assert set(sample.codes[:, 2].tolist()) == {0, 2, 3}
