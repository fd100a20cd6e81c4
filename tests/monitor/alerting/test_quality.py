import pytest
from scipy.stats import binomtest

from drivetrain.core.clock import DAY, HOUR, SECOND
from drivetrain.monitor.alerting.quality import flapped, quality, wilson
from monitor.alerting.windows import alert


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (3, 4), (9, 10), (0, 50), (37, 120)])
def test_wilson_s_interval_is_scipy_s(successes, trials):
    found = wilson(successes, trials)
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_judged_is_nothing_claimed():
    assert wilson(0, 0) is None
    (together,) = quality([])
    assert (together.opened, together.precision, together.words) == (0, None, "Nothing was told yet.")
    assert "Nobody has said" in quality([alert(peak="warning")])[0].words


def test_what_alerts_were_worth():
    seen = [
        alert("a", rule="slow", at=0, told=10, peak="warning", acknowledged=10 + 60 * SECOND, useful=True,
              state="resolved", resolved=4 * HOUR),
        alert("b", rule="slow", at=5 * DAY, told=20, peak="warning", acknowledged=20 + 20 * SECOND, useful=False),
        alert("c", rule="slow", at=9 * DAY, silence="s"),
        alert("d", rule="drift", at=9 * DAY, told=5, peak="info", acknowledged=1),
        alert("e", rule="drift", state="passed"),
        alert("f", rule="drift", state="pending"),
    ]  # fmt: skip
    together, slow, drift = quality(seen)
    assert (together.rule, together.opened, together.passed, together.open) == ("", 4, 1, 3)
    assert (slow.rule, slow.opened, slow.told, slow.useful, slow.noise, slow.acknowledged) == ("slow", 3, 2, 1, 1, 2)
    assert slow.precision.value == 0.5
    assert slow.seconds_to_acknowledge == 40.0
    assert slow.hours_open == 4.0
    assert slow.silenced == pytest.approx(1 / 3)
    assert drift.seconds_to_acknowledge is None, "it was seen before it was told, by a clock that was set"


def test_what_opens_again_soon_after_it_ended_has_flapped():
    def one(name, at, resolved, **more):
        return alert(name, at=at * DAY, resolved=resolved * DAY, state="resolved", window=DAY, **more)

    history = [one("a", 0, 3), one("b", 5, 6), one("c", 9, 9), one("d", 9, 10, endpoint="early")]
    assert flapped(history) == 1, "b is two windows after a; c is three after b; d is another endpoint's"
    assert flapped([one("a", 0, 3, because="a person ended it"), one("b", 4, 5)]) == 0
    assert quality(history)[0].flaps == 1
