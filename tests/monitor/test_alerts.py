import msgspec
import pytest

from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.core.records import Alert, FeatureDrift, Measure, MonitorReport
from drivetrain.monitor.alerts import settle
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.spec import Drift, Monitor, Performance, Retrain, Webhook

MONITOR = Monitor(endpoint="late")
FALL = Finding("performance.roc_auc", "warning", "it fell", {"now": 1})


def report(since=0, *, labelled=1000, low=0.6, drift=True) -> MonitorReport:
    output = FeatureDrift("prediction", "psi", 0.1, 0.2, drifted=False, null_share=0, reference_null_share=0, count=9)
    return MonitorReport(
        endpoint="late",
        model="late",
        version=1,
        since=since,
        until=since + 7,
        predictions=2000,
        labelled=labelled,
        performance={"roc_auc": Measure(0.7, low, 0.8, labelled)},
        output=output if drift else None,
    )


def test_one_alert_opens_goes_on_and_is_resolved():
    opened = settle([FALL], [], report(), MONITOR, now=10)
    (alert,) = opened.opened
    assert (alert.at, alert.rule, alert.state, alert.report) == (10, "performance.roc_auc", "open", "monitor:late@0-7")
    assert msgspec.json.decode(alert.evidence) == {"now": 1}
    assert msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert
    on = settle([msgspec.structs.replace(FALL, message="it fell more")], [alert], report(7), MONITOR, now=20)
    assert on.told == ()
    (kept,) = on.kept
    assert (kept.id, kept.at, kept.message, kept.report) == (alert.id, 10, "it fell more", "monitor:late@7-14")
    done = settle([], [kept], report(14), MONITOR, now=30)
    (resolved,) = done.resolved
    assert (resolved.id, resolved.state, resolved.resolved) == (alert.id, "resolved", 30)
    assert done.told == done.changed == (resolved,)


def test_settling_the_same_window_again_changes_nothing():
    first = settle([FALL], [], report(), MONITOR, now=10)
    assert settle([FALL], [], report(), MONITOR, now=10) == first
    again = settle([FALL], first.opened, report(), MONITOR, now=11)
    assert again.changed == first.opened
    assert again.told == ()


def test_an_alert_that_grows_worse_is_told_again():
    (alert,) = settle([FALL], [], report(), MONITOR, now=10).opened
    worse = msgspec.structs.replace(FALL, severity="critical")
    assert [one.severity for one in settle([worse], [alert], report(7), MONITOR, now=20).escalated] == ["critical"]
    better = msgspec.structs.replace(FALL, severity="info")
    assert settle([better], [alert], report(7), MONITOR, now=20).told == ()


@pytest.mark.parametrize("blind", [{"labelled": 3}, {"low": None}])
def test_a_window_that_can_not_tell_resolves_nothing(blind):
    (alert,) = settle([FALL], [], report(), MONITOR, now=10).opened
    assert settle([], [alert], report(7, **blind), MONITOR, now=20).changed == ()


def test_drift_stays_open_until_it_is_measured_again():
    (alert,) = settle([Finding("drift", "warning", "moved", {})], [], report(), MONITOR, now=10).opened
    assert settle([], [alert], report(7, drift=False), MONITOR, now=20).changed == ()
    assert settle([], [alert], report(7), MONITOR, now=20).resolved[0].id == alert.id


def test_a_rule_nobody_asks_for_any_more_is_resolved_and_other_endpoints_are_left_alone():
    (alert,) = settle([FALL], [], report(), MONITOR, now=10).opened
    other = msgspec.structs.replace(alert, id="x", endpoint="other")
    gone = msgspec.structs.replace(alert, id="y", state="resolved")
    found = settle([], [alert, other, gone], report(labelled=0), Monitor(endpoint="late", performance=None), now=20)
    assert [one.id for one in found.changed] == [alert.id]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Monitor(endpoint="late", window="6h"), "a day"),
        (lambda: Drift(false_alarm=0.0), "false_alarm"),
        (lambda: Performance(metric="base_rate"), "can't fall"),
        (lambda: Performance(drop=-0.1), "negative"),
        (lambda: Retrain(when=["drifts"]), "'drifts'"),
        (lambda: Webhook(url="ftp://x"), "web address"),
    ],
)
def test_what_can_not_be_watched_is_refused_where_it_is_declared(make, words):
    with pytest.raises(ProjectError, match=words):
        make()


def test_specs_say_what_they_mean():
    with pytest.raises(UnknownName):
        Performance(metric="luck")
    assert Performance(metric="roc_auc", drop=0.01).drops == {"roc_auc": 0.01, "log_loss": 0.1}
    retrain = Retrain(when=["performance", "drift"], every="30d", cooldown="14d", shadow="7d", budget=2)
    day = 86_400_000_000
    assert (retrain.every_us, retrain.cooldown_us, retrain.shadow_us) == (30 * day, 14 * day, 7 * day)
    assert Retrain().every_us is None
    assert Drift(statistic="ks").least == 0.1
    assert Drift(effect=0.3).least == 0.3
