import pytest

from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.monitor.alerting.rule import Rule
from drivetrain.monitor.alerting.sinks.mail import Email
from drivetrain.monitor.alerting.sinks.pagerduty import PagerDuty
from drivetrain.monitor.alerting.sinks.slack import Slack
from drivetrain.monitor.alerting.sinks.webhook import Webhook
from drivetrain.monitor.spec import Drift, Monitor, Performance, Retrain


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Monitor(endpoint="late", window="6h"), "a day"),
        (lambda: Drift(false_alarm=0.0), "false_alarm"),
        (lambda: Performance(metric="base_rate"), "can't fall"),
        (lambda: Performance(drop=-0.1), "negative"),
        (lambda: Retrain(when=["drifts"]), "'drifts'"),
        (lambda: Webhook(url="ftp://x"), "web address"),
        (lambda: Webhook("https://x", least="loud"), "severity"),
        (lambda: Slack("https://hooks.slack.com/services/T/B/x"), "is a secret"),
        (lambda: PagerDuty("R0UT1NG"), "is a secret"),
        (lambda: Email("ops", "localhost", sender="a@b.c"), "not an address"),
        (lambda: Email("a@b.c", "localhost", sender="a@b.c", security="maybe"), "no known way"),
        (lambda: Email("a@b.c", "localhost", sender="a@b.c", user="me", password="hunter2"), "is a secret"),
        (lambda: Email("a@b.c", "h", sender="a@b.c", user="me", password="env:P", security="none"), "in the clear"),
        (lambda: Email("a@b.c", "h", sender="a@b.c", user="me"), "a user and a password"),
        (lambda: Monitor(endpoint="late", sinks=[Webhook("http://a/1"), Webhook("http://a/1")]), "two sinks"),
        (lambda: Monitor(endpoint="late", rules=[Rule("a", metric="predictions", below=1)] * 2), "two rules"),
        (
            lambda: Monitor(endpoint="late", latency_ms=5, rules=[Rule("latency", metric="latency_p99_us", above=1)]),
            "two rules called latency",
        ),
        (
            lambda: Monitor(endpoint="late", rules=[Rule("a", metric="predictions", below=1)], hold={"a": 2}),
            "stands in the rule itself",
        ),
        (lambda: Monitor(endpoint="late", hold={"drift": 0}), "whole windows"),
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


def test_how_long_a_rule_is_held_is_its_own_or_its_family_s():
    own = Rule("few", metric="predictions", below=10, hold=3, calm=2, runbook="https://run/few")
    monitor = Monitor(
        endpoint="late",
        rules=[own],
        hold={"drift": "14d", "drift.output": 2},
        calm=4,
        runbooks={"drift": "docs/drift.md"},
    )
    assert monitor.terms_of("few") == own.terms
    assert (own.terms.windows, own.terms.calm, own.terms.runbook) == (3, 2, "https://run/few")
    family, single = monitor.terms_of("drift.weather.temp"), monitor.terms_of("drift.output")
    assert (family.time, family.windows, family.calm, family.runbook) == (14 * 86_400_000_000, 1, 4, "docs/drift.md")
    assert (single.time, single.windows) == (0, 2)
    assert monitor.terms_of("performance.roc_auc").met(0, 1)
