import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from drivetrain.core.clock import DAY, HOUR
from drivetrain.monitor.maturity.curve import AGES, curve, settled


def test_it_is_the_estimate_of_scipy():
    random = np.random.default_rng(1)
    delay, exposure = random.exponential(2.0, 500), random.uniform(0, 6, 500)
    came = delay <= exposure
    theirs = ecdf(CensoredData(uncensored=delay[came], right=exposure[~came]))
    interval = theirs.sf.confidence_interval(method="log-log")
    for one in curve(np.where(came, delay, np.nan), exposure, (1, 2, 3, 5)):
        assert one.share == pytest.approx(float(theirs.cdf.evaluate(one.age)))
        assert one.low == pytest.approx(1 - float(interval.high.evaluate(one.age)), abs=1e-6)
        assert one.high == pytest.approx(1 - float(interval.low.evaluate(one.age)), abs=1e-6)


def test_the_young_do_not_make_it_look_less_complete():
    random = np.random.default_rng(2)
    delay, exposure = random.exponential(2 * DAY, 20_000), random.uniform(0, 7 * DAY, 20_000)
    ages = np.where(delay <= exposure, delay, np.nan)
    found = {one.age: one for one in curve(ages, exposure)}
    assert np.isfinite(ages).mean() < 0.75
    for days in (1, 2, 3):
        assert found[days * DAY].share == pytest.approx(1 - np.exp(-days / 2), abs=0.02)
        assert found[days * DAY].low < found[days * DAY].share < found[days * DAY].high
    assert max(found) <= 7 * DAY, "an age that no prediction has reached is not told"


def test_nothing_all_and_none():
    assert curve(np.empty(0), np.empty(0)) == []
    whole = curve(np.full(5, HOUR / 2), np.full(5, 2.0 * HOUR))
    assert [(one.age, one.share) for one in whole] == [(HOUR, 1.0)]
    never = curve(np.full(5, np.nan), np.full(5, 2.0 * HOUR))
    assert [(one.share, one.low, one.high) for one in never] == [(0.0, 0.0, 0.0)]
    assert tuple(sorted(AGES)) == AGES


def test_when_labels_are_due_is_known_once_they_are_in():
    exposure = np.linspace(10 * DAY, 20 * DAY, 400)
    quick = np.where(np.arange(400) % 10 == 0, np.nan, DAY * (1 + np.arange(400) / 400))
    assert settled(quick, exposure) == pytest.approx(1.95 * DAY, rel=0.02)
    slow = np.linspace(0.1, 9.9, 400) * DAY
    assert settled(slow, exposure) is None, "more may be under way"
    assert settled(np.full(400, np.nan), exposure) is None
