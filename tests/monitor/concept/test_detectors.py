"""Three detectors beside river 0.26.1 on the same stream, and how long they wait and how often they err."""

import numpy as np
import pytest

from drivetrain.core.errors import UsageError
from drivetrain.monitor.concept.adwin import Adwin
from drivetrain.monitor.concept.ddm import Ddm
from drivetrain.monitor.concept.page_hinkley import PageHinkley


def stream():
    """Errors at a rate of .1, then .2, then .5, three thousand of each."""
    dice = np.random.default_rng(5)
    return np.concatenate([dice.random(3000) < rate for rate in (0.1, 0.2, 0.5)]).astype(float)


def changes(detector, errors):
    return [at for at, error in enumerate(errors) if detector.update(error)]


@pytest.mark.parametrize(
    ("detector", "found"),
    [
        (PageHinkley(), [3377, 6153]),  # river.drift.PageHinkley(mode="up")
        (PageHinkley(threshold=15), [3113, 6036, 7592]),
        (Ddm(), [3323, 6136]),  # river.drift.binary.DDM()
    ],
)
def test_river_finds_the_same_changes(detector, found):
    assert changes(detector, stream()) == found


def test_river_cuts_adwins_window_at_the_same_errors():
    """river begins anew after a change; the paper keeps what is left, so that the same change may cut again."""
    errors = stream()
    first = changes(Adwin(), errors)[0]
    assert first == 3199
    second = changes(Adwin(), errors[first + 1 :])[0] + first + 1
    assert second == 6079  # river.drift.ADWIN() → [3199, 6079]


def test_adwins_window_is_the_recent_errors_and_its_buckets_add_up():
    errors = stream()
    window = Adwin()
    cut = 0
    for at, error in enumerate(errors):
        if window.update(error):
            cut = at
        held = errors[at + 1 - window.width : at + 1]
        if at % 500 == 499:
            assert window.mean == pytest.approx(held.mean(), abs=1e-12)
    assert 6000 <= cut < 6400
    assert window.mean == pytest.approx(0.5, abs=0.03)
    assert 2500 < window.width <= 3300
    assert sum(map(len, window._rows)) < 80


def test_adwin_bears_what_rounding_leaves_of_values_that_do_not_vary():
    """After each level is forgotten, the spread of what is left is nothing, or by rounding a little less."""
    window = Adwin()
    for level in (0.1, 0.2, 0.7):
        for _ in range(500):
            window.update(level)
    assert window._spread < 0
    assert window.mean == pytest.approx(0.7)


@pytest.mark.truth
def test_false_alarms_and_delays_are_as_they_are_told():
    """Twenty streams of 6,000 errors at .2 without change; twenty in which the rate becomes .4."""
    alarms, delays = dict.fromkeys("adp", 0), {name: [] for name in "adp"}
    for seed in range(20):
        dice = np.random.default_rng(seed)
        same = (dice.random(6000) < 0.2).astype(float)
        worse = (dice.random(3000) < 0.4).astype(float)
        for name, make in (("a", Adwin), ("d", Ddm), ("p", PageHinkley)):
            alarms[name] += bool(changes(make(), same))
            detector = make()
            for error in same[:2000]:
                detector.update(error)
            found = changes(detector, worse)
            delays[name].append(found[0] if found else 3000)
    assert alarms["a"] == 0
    assert alarms["d"] <= 10  # a method without a stated rate
    assert alarms["p"] <= 5
    assert np.median(delays["a"]) <= 200
    assert np.median(delays["p"]) <= 400
    assert np.median(delays["d"]) <= 400


def test_ddm_warns_before_it_calls_a_change():
    rate = Ddm()
    dice = np.random.default_rng(0)
    errors = [*(dice.random(1000) < 0.1), *(dice.random(500) < 0.4)]
    seen = [(rate.update(float(error)), rate.warned) for error in errors]
    called = [at for at, (changed, _) in enumerate(seen) if changed]
    warned = [at for at, (_, warned) in enumerate(seen) if warned and at >= 1000]
    assert called == [1041]
    assert 1000 <= warned[0] < 1041


def test_what_they_can_not_take_is_named():
    with pytest.raises(UsageError, match="delta is a share"):
        Adwin(delta=2.0)
    with pytest.raises(UsageError, match=r"0 or 1; found 0\.5"):
        Ddm().update(0.5)
