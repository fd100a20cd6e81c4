import pytest

from drivetrain.core.errors import ProjectError, UsageError
from drivetrain.monitor.alerting.rule import Rule
from drivetrain.monitor.rules import judge, stands
from drivetrain.monitor.spec import Monitor
from monitor.alerting.windows import report


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Rule(""), "needs a name"),
        (lambda: Rule("drift.mine", metric="predictions", below=1), "every monitor has rules of that name"),
        (lambda: Rule("a"), "does not say what breaks it"),
        (lambda: Rule("a", metric="predictions"), "does not say what breaks it"),
        (lambda: Rule("a", when=bool, above=3), "does not say what breaks it"),
        (lambda: Rule("a", when=bool, metric="predictions", above=3), "does not say what breaks it"),
        (lambda: Rule("a", metric="predictoins", above=3), "Did you mean 'predictions'"),
        (lambda: Rule("a", metric="predictions", above=3, clear=4), "kept again"),
        (lambda: Rule("a", metric="predictions", below=3, clear=2), "kept again"),
        (lambda: Rule("a", metric="predictions", above=3, severity="loud"), "no severity"),
        (lambda: Rule("a", metric="predictions", above=3, calm=0), "whole windows"),
        (lambda: Rule("a", metric="predictions", above=3, hold=0), "whole windows"),
    ],
)
def test_what_can_not_be_a_rule_is_refused_where_it_is_declared(make, words):
    with pytest.raises(ProjectError, match=words):
        make()


def test_a_hold_that_is_no_time_is_refused():
    with pytest.raises(UsageError, match="not a duration"):
        Rule("a", metric="predictions", above=3, hold="soon")


def test_a_bound_is_crossed_beyond_it_and_kept_on_it():
    rule = Rule("slow", metric="latency_p99_us", above=50_000, severity="critical")
    assert rule.finding(report(latency_p99_us=50_000.0)) is None
    found = rule.finding(report())
    assert (found.rule, found.severity) == ("slow", "critical")
    assert found.message == "late: slow. latency_p99_us was 61.2 ms on 1 January 1970, above the 50.0 ms allowed."
    assert found.evidence["value"] == 61_250.0
    few = Rule("few", metric="performance.roc_auc", below=0.75)
    assert few.finding(report()).message.endswith("; v1 reached 0.800 when it was evaluated.")


def test_between_the_bound_and_where_it_is_clear_nothing_is_said():
    rule = Rule("slow", metric="latency_p99_us", above=50_000, clear=40_000)
    assert rule.standing(report(latency_p99_us=45_000.0)) == "between"
    assert rule.standing(report(latency_p99_us=40_000.0)) == "kept"
    low = Rule("few", metric="predictions", below=10, clear=20)
    assert [low.standing(report(predictions=count)) for count in (15, 20)] == ["between", "kept"]


def test_a_figure_that_is_not_there_neither_breaks_nor_keeps():
    rule = Rule("sure", metric="performance.brier", above=0.2)
    assert rule.finding(report()) is None
    assert rule.standing(report()) == "unknown"
    assert Rule("slow", metric="latency_p99_us", above=1).standing(report(predictions=0)) == "unknown"


def test_a_function_says_whether_how_or_that_it_can_not_tell():
    said = {0: True, 1: "positives fell by half", 2: False, 3: None}
    rule = Rule("positives halve", when=lambda window: said[window.since // 86_400_000_000])
    assert rule.finding(report(0)).message == "late: positives halve. On 1 January 1970."
    assert rule.finding(report(1)).message == "late: positives halve. Positives fell by half."
    assert [rule.finding(report(day)) for day in (2, 3)] == [None, None]
    assert [rule.standing(report(day)) for day in (2, 3)] == ["kept", "unknown"]


def test_a_rule_that_fails_is_told_of_and_stops_no_other():
    def fail(window):
        raise KeyError("positives")

    monitor = Monitor(
        endpoint="late",
        performance=None,
        rules=[Rule("mine", when=fail), Rule("slow", metric="latency_p99_us", above=50_000)],
    )
    found = {one.rule: one for one in judge(report(), monitor)}
    assert set(found) == {"slow", "rules"}
    assert "rule 'mine' can't be judged: KeyError: 'positives'" in found["rules"].message
    assert stands("mine", report(), monitor) == "unknown"
    assert stands("rules", report(), monitor) == "kept"
    assert stands("taken away", report(), monitor) == "kept"
