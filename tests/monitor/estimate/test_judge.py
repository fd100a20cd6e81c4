import msgspec
import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import Measure, MonitorReport, Task
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.monitor.estimate.judge import gaps
from drivetrain.monitor.estimate.keeping import keep
from drivetrain.monitor.rules import judged
from drivetrain.monitor.spec import Monitor, Performance, Retrain
from drivetrain.monitor.window import Watched, assess
from monitor.estimate.world import SCHEMA, START, WEEK, evaluated, logs, rows

MONITOR = Monitor(endpoint="late", drift=None)


@pytest.fixture(scope="module")
def world():
    return evaluated()


def told(world, window, *, known=1.0, monitor=MONITOR):
    kept, evaluation = world
    values, said, labels, ats = window
    log, feedback = logs(values, said, ats, labels)
    count = round(known * len(labels))
    return assess(
        log,
        feedback.sample(count, seed=1),
        monitor=monitor,
        watched=Watched(model="late", version=1, evaluation=evaluation, kept=kept),
        since=START,
        until=START + WEEK,
        now=START + WEEK,
    )


@pytest.mark.truth
def test_nothing_changed_nothing_said(world):
    said = [told(world, rows(seed, a_day=150), known=known).findings for seed in range(8) for known in (0.0, 1.0)]
    assert sum(len(found) > 0 for found in said) <= 1


def test_a_fall_is_told_before_labels_come_and_why(world):
    window = rows(5, spread=0.3)
    found = told(world, window, known=0.03)
    finding = found.findings[0]
    assert {one.rule for one in found.findings} == {"estimated.average_precision", "estimated.roc_auc"}
    assert (finding.rule, finding.severity) == ("estimated.average_precision", "warning")
    assert "average precision is estimated to have fallen to 0." in finding.message
    assert "At the base rate of then it would be 0." in finding.message
    assert "Labels have arrived for 3 % of them." in finding.message
    assert "A change in that (concept drift) can't be seen without labels." in finding.message
    assert "above all x (+0." in finding.message
    report = found.report
    real = told(world, window).report.performance["average_precision"].value
    assert report.estimated["average_precision"].low < real < report.estimated["average_precision"].high
    assert report.estimation.method == "cbpe"
    assert report.estimation.plain["average_precision"].low is None
    assert report.why.concept is None
    assert finding.evidence["why"]["metric"] == "average_precision"
    assert msgspec.json.decode(msgspec.json.encode(report), type=MonitorReport) == report


def test_fewer_positives_alone_are_a_note(world):
    (finding,) = told(world, rows(5, shift=-1.0), known=0.0).findings
    assert (finding.rule, finding.severity) == ("estimated.average_precision", "info")
    assert "so fewer positives explain the fall within its uncertainty" in finding.message


def test_labels_take_the_estimates_place(world):
    rules = {finding.rule for finding in told(world, rows(5, spread=0.3)).findings}
    assert "performance.average_precision" in rules
    assert not any(rule.startswith("estimated") for rule in rules)


def test_concept_drift_is_a_gap_once_labels_come(world):
    window = rows(6, otherwise=3.0)
    before, after = told(world, window, known=0.0), told(world, window)
    assert before.findings == (), "without labels nothing can be seen"
    gap = after.report.estimation.gaps["average_precision"]
    assert gap.low > 0.05
    first = after.findings[0]
    assert first.rule == "performance.average_precision"
    assert "The estimate without labels could not see it (concept drift)" in first.message
    assert after.report.why.concept.low > 0
    assert after.report.why.segments[0].where == "carrier is b"


def test_a_gap_below_the_drop_is_an_alert_of_its_own(world):
    strict = Monitor(endpoint="late", drift=None, performance=Performance(drop=0.3, also={}, calibration=None))
    (finding,) = told(world, rows(6, otherwise=3.0), monitor=strict).findings
    assert finding.rule == "estimated.gap"
    assert "That is concept drift: labels follow the inputs otherwise than when the version was evaluated" in (
        finding.message
    )


def test_gaps_are_rarely_found_where_there_are_none(world):
    wrong = 0
    for seed in range(8):
        found = told(world, rows([7, seed], a_day=150)).report.estimation.gaps["average_precision"]
        wrong += not found.low <= 0 <= found.high
    assert wrong <= 1


def test_too_few_rows_and_versions_from_before_say_why_there_is_no_estimate(world):
    few = told(world, tuple(part[:100] for part in rows(1))).report
    assert few.estimation.refused == "not estimated: 100 predictions, at least 200 are needed"
    old = told((None, world[1]), rows(1)).report
    assert old.estimated == {}
    assert old.estimation.refused.startswith("not estimated: v1 was evaluated before estimates were kept")
    off = Monitor(endpoint="late", drift=None, performance=Performance(estimated=False))
    assert told(world, rows(1), monitor=off).report.estimation is None


def test_a_gap_is_estimated_minus_real():
    found = gaps({"roc_auc": Measure(0.8, 0.75, 0.85, 9, 0.99)}, {"roc_auc": Measure(0.7, 0.6, 0.8, 9)})["roc_auc"]
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.05, 0.15))
    assert gaps({"roc_auc": Measure(0.8)}, {"roc_auc": Measure(0.7)}) == {}


def test_alerts_on_estimates_end_when_an_estimate_keeps_the_rule(world):
    report = told(world, rows(1), known=0.0).report
    assert judged("estimated.roc_auc", report, MONITOR)
    assert not judged("estimated.gap", report, MONITOR)
    assert judged("estimated.gap", told(world, rows(1)).report, MONITOR)
    old = msgspec.structs.replace(report, estimation=None)
    assert not judged("estimated.roc_auc", old, MONITOR)
    assert judged("estimated.roc_auc", old, Monitor(endpoint="late", performance=None))
    assert Retrain(when=["estimated"]).when == ["estimated"]


def test_reports_from_before_are_read():
    plain = b'{"at":1,"endpoint":"e","model":"m","version":1,"since":0,"until":1,"predictions":0}'
    found = msgspec.json.decode(plain, type=MonitorReport)
    assert (found.estimated, found.estimation, found.maturity, found.why) == ({}, None, None, None)
    assert np.isfinite(found.at)


def test_classes_that_come_back_by_name_are_held_against_the_estimate():
    task = Task("multiclass", classes=("a", "b", "c"))

    def drawn(seed, days, a_day):
        random = np.random.default_rng(seed)
        values = random.normal(0, 1, (days * a_day, 3))
        values[:, 2] = 0
        said = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
        came = (random.random(len(said))[:, None] > said.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        return values, said, came, START + np.repeat(np.arange(days), a_day) * DAY + random.integers(0, DAY, len(said))

    values, said, came, ats = drawn(1, 30, 60)
    kept = keep(values, said, came, ats, schema=SCHEMA, task=task)
    evaluation = evaluate(
        said, came.astype(float), ats, subject=Subject(run_id="r", model="late", data="table:t@1", task=task)
    )
    values, said, came, ats = drawn(2, 7, 200)
    log, feedback = logs(values, np.zeros(len(said)), ats, np.zeros(len(said)))
    log = log.with_columns(pl.Series("scores", said.tolist()))
    names = pl.Series("names", [[task.classes[at]] for at in came], dtype=pl.List(pl.String))
    feedback = feedback.with_columns(names, label=pl.lit(float("nan")))
    report = assess(
        log,
        feedback,
        monitor=Monitor(endpoint="late", drift=None, performance=Performance(metric="log_loss", drop=0.1, also={})),
        watched=Watched(model="late", version=1, evaluation=evaluation, kept=kept),
        since=START,
        until=START + WEEK,
        now=START + WEEK,
    ).report
    assert report.estimated["log_loss"].low < report.performance["log_loss"].value < report.estimated["log_loss"].high
    assert report.estimation.gaps["accuracy"].low < 0 < report.estimation.gaps["accuracy"].high
    assert report.maturity.curve[-1].metrics["log_loss"] == pytest.approx(
        report.performance["log_loss"].value, abs=0.05
    )
    assert (report.maturity.strange, report.maturity.sooner) == (0, "")
