import numpy as np
import pytest
from scipy import stats

from drivetrain.monitor.comparison.pooled import pooled_of, sorted_of
from drivetrain.monitor.statistics.permutation import cell_widths, deal, dealt_gaps, place, ranks


@pytest.mark.parametrize(
    ("pooled", "rows"),
    [([1, 3, 0, 6], 4), ([40, 1, 59], 30), ([30_000, 50_000, 20_000], 40_000)],
    ids=["few", "rare", "many"],
)
def test_rows_are_dealt_as_the_hypergeometric_law_has_it(pooled, rows):
    dealt = deal(np.array(pooled), rows, 20_000, np.random.default_rng(1))
    assert (dealt.sum(axis=0) == rows).all()
    assert (dealt >= 0).all()
    assert (dealt <= np.array(pooled)[:, None]).all()
    for cell, size in enumerate(pooled):
        if not size:
            continue
        law = stats.hypergeom(sum(pooled), size, rows)
        assert dealt[cell].mean() == pytest.approx(law.mean(), abs=4 * law.std() / 141 + 1e-9)
        assert dealt[cell].std() == pytest.approx(law.std(), rel=0.03, abs=1e-9)


def test_gaps_at_every_rank_are_those_of_shuffled_rows():
    random = np.random.default_rng(2)
    gaps = np.abs(dealt_gaps(12, 8, 20_000, random)).max(axis=1)
    exact = stats.ks_2samp(np.arange(12.0), np.arange(8.0) + 3.5, method="exact")
    assert (gaps >= exact.statistic - 1e-12).mean() == pytest.approx(exact.pvalue, abs=0.015)


@pytest.mark.parametrize("tails", ["normal", "cauchy", "whole"])
def test_few_ranks_tell_what_all_would(tails):
    """The distance under deals of ranks alone has the same quantiles as under shuffled rows."""
    random = np.random.default_rng(3)
    draw = {"normal": random.standard_normal, "cauchy": random.standard_cauchy, "whole": lambda n: random.poisson(3, n)}
    values = np.sort(np.asarray(draw[tails](2000), float))
    at = ranks(len(values))
    assert len(at) < 400
    gaps, widths = np.abs(dealt_gaps(1200, 800, 2000, random)), cell_widths(values, at)
    found = {"wasserstein": gaps @ widths, "energy": np.sqrt(2 * gaps**2 @ widths)}
    brute = []
    for _ in range(400):
        shuffled = random.permutation(values)
        brute.append(pooled_of(sorted_of(shuffled[:1200]), sorted_of(shuffled[1200:])).exact())
    for name, few in found.items():
        all_of_them = [each[name] for each in brute]
        for share in (0.5, 0.9):
            assert np.quantile(few, share) == pytest.approx(np.quantile(all_of_them, share), rel=0.12)


def test_a_place_is_never_nought():
    assert place(5.0, np.zeros(99)) == 0.01
    assert place(0.0, np.zeros(99)) == 1.0
