import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drivetrain.evaluate.student import chi2_quantile, t_quantile, t_tail


@given(st.floats(-60, 60), st.integers(1, 400))
def test_tail_is_scipys(t, freedom):
    assert t_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-8, abs=1e-12)


@given(st.floats(0.001, 0.9999), st.integers(1, 400))
def test_quantile_is_scipys(probability, freedom):
    assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 20, 60])
@pytest.mark.parametrize("probability", [0.95, 0.99, 0.9983])
def test_chi2_is_scipys_to_three_percent(probability, freedom):
    assert chi2_quantile(probability, freedom) == pytest.approx(stats.chi2.ppf(probability, freedom), rel=0.035)
