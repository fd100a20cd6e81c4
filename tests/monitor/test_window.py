import msgspec
import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Measure, MonitorReport
from drivetrain.evaluate.measures import AT_RATE
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.monitor.labels import LABEL, join_labels
from drivetrain.monitor.performance import worsening
from drivetrain.monitor.reference import load, profile
from drivetrain.monitor.spec import Drift, Monitor, Performance
from drivetrain.monitor.window import Watched, assess
from evaluate.world import days_of_rows
from monitor.world import CARRIERS, FEEDBACK, SCHEMA, START, logs, stream

WEEK = 7 * DAY


def told(log, feedback, *, monitor=None, now=None, **watched):
    settings = {"model": "late", "version": 1} | watched
    return assess(
        log,
        feedback,
        monitor=Monitor(endpoint="late", drift=None) if monitor is None else monitor,
        watched=Watched(**settings),
        since=START,
        until=START + WEEK,
        now=now,
    )


def world(seed=1, days=7, rows=300, *, shift=0.0, rate=0.0):
    """A window's logs: ``shift`` breaks the ranking, ``rate`` makes positives rarer."""
    labels, predictions, ats = days_of_rows(seed, days, rows, shared=0.2)
    random = np.random.default_rng(seed)
    labels = np.where(random.random(len(labels)) < rate, 0.0, labels)
    said = np.where(random.random(len(labels)) < shift, random.permutation(predictions), predictions)
    values = np.column_stack([*[np.zeros(len(ats))] * 8])
    return logs(values, said, START + ats, labels)


@pytest.fixture(scope="module")
def evaluation():
    labels, predictions, ats = days_of_rows(99, 30, 300, shared=0.2)
    return evaluate(predictions, labels, ats, subject=Subject(run_id="r", model="late", data="table:t@1"))


def test_a_report_rests_on_what_has_arrived_and_says_how_much(evaluation):
    log, feedback = world()
    found = told(log, feedback.head(1500), evaluation=evaluation, views=("near", "far"), now=5).report
    assert (found.predictions, found.labelled) == (2100, 1500)
    assert found.label_share == pytest.approx(1500 / 2100)
    assert found.at == 5
    assert found.performance["roc_auc"].count == 1500
    assert found.reference == evaluation.metrics
    assert (found.latency_p50_us, found.latency_p99_us) == (
        log["latency_us"].quantile(0.5, "linear"),
        log["latency_us"].quantile(0.99, "linear"),
    )
    assert found.median_ages == {"near": 60.0}
    assert msgspec.json.decode(msgspec.json.encode(found), type=MonitorReport) == found


@pytest.mark.truth
def test_nothing_changed_nothing_said(evaluation):
    said = [told(*world(seed), evaluation=evaluation).findings for seed in range(40)]
    assert sum(len(found) > 0 for found in said) <= 2


def test_a_broken_ranking_is_critical_and_said_in_words(evaluation):
    found = {one.rule: one for one in told(*world(shift=0.8), evaluation=evaluation).findings}
    assert found["performance.average_precision"].severity == "critical"
    assert found["performance.roc_auc"].severity == "warning"
    words = found["performance.average_precision"].message
    assert words.startswith("late: average precision fell to 0.")
    assert "on 2,100 predictions of 1\u20137 January 2013, from 0." in words
    assert "when v1 was evaluated; base rate" in words
    assert "At the base rate of then it would be" in words
    evidence = found["performance.average_precision"].evidence
    assert evidence["worse_by"]["low"] > evidence["allowed"] == 0.05


def test_fewer_positives_alone_are_a_note(evaluation):
    assessment = told(*world(rate=0.75), evaluation=evaluation)
    found = {one.rule: one for one in assessment.findings}
    assert found["performance.average_precision"].severity == "info"
    assert "fewer positives explain the fall" in found["performance.average_precision"].message
    assert "performance.roc_auc" not in found
    assert found["calibration"].severity == "warning"
    assert "are too high: " in found["calibration"].message
    report = assessment.report
    assert report.performance[AT_RATE].value > report.performance["average_precision"].value + 0.1


def test_too_few_labels_or_days_are_not_judged(evaluation):
    log, feedback = world(shift=1.0)
    few = Monitor(endpoint="late", drift=None, performance=Performance(min_labels=5000))
    assert told(log, feedback, monitor=few, evaluation=evaluation).findings == ()
    log, feedback = world(days=3, shift=1.0)
    assert told(log, feedback, evaluation=evaluation).findings == ()


def test_no_traffic_no_labels_or_one_class_make_an_empty_report(evaluation):
    log, feedback = world()
    empty = told(log.clear(), feedback.clear(), evaluation=evaluation, views=("near",))
    assert empty.report.predictions == 0
    assert empty.findings == ()
    assert told(log, feedback.clear()).report.performance == {}
    one_class = told(log, feedback.with_columns(pl.lit(0.0).alias("label"))).report
    assert "roc_auc" not in one_class.performance
    assert "brier" in one_class.performance


def test_versions_and_roles_are_never_mixed(evaluation):
    log, feedback = world()
    shadow = {"role": pl.lit("shadow"), "version": pl.lit(2, pl.Int64), "prediction": pl.lit(0.5)}
    worse = log.with_columns(**shadow)
    old = log.with_columns(pl.lit(7, pl.Int64).alias("version"), pl.col("request_id") + "x")
    found = told(pl.concat([log, worse, old]), feedback, evaluation=evaluation).report
    assert found.predictions == 2100
    assert found.performance["roc_auc"].value == told(log, feedback).report.performance["roc_auc"].value
    assert set(found.shadow) == {"shadow v2"}
    assert found.shadow["shadow v2"]["roc_auc"].value == 0.5


def test_labels_find_their_predictions():
    log, _ = world(rows=1)
    log = log.head(4)
    late = int(log["at"].max()) + DAY
    early = int(log["at"].min()) - DAY
    rows = [
        ("late", "r0", 0, "", 1.0, late, 1),
        ("late", "", 0, "e0", 0.0, late, 2),  # the request's own label wins over its entity's
        ("late", "", 0, "e1", 0.0, late, 1),
        ("late", "", 0, "e1", 1.0, late, 3),  # told again: the last word counts
        ("late", "", 0, "e2", 1.0, early, 1),  # known before it was predicted: another flight's
        ("other", "", 0, "e3", 1.0, late, 1),
        ("late", "", 0, "e3", float("nan"), late, 1),
        ("late", "r0", 9, "", 0.0, late, 9),
    ]
    feedback = pl.DataFrame(rows, schema=FEEDBACK, orient="row")
    assert join_labels(log, feedback, endpoint="late")[LABEL].to_list() == [1.0, 1.0, None, None]
    zoned = log.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    assert join_labels(zoned, feedback, endpoint="late")[LABEL].to_list() == [1.0, 1.0, None, None]


def test_worsening_holds_the_uncertainty_of_both_sides():
    now, then = Measure(0.3, 0.26, 0.34, 100), Measure(0.45, 0.42, 0.48, 100)
    change = worsening("average_precision", now, then)
    assert change.value == pytest.approx(0.15)
    assert change.low == pytest.approx(0.15 - np.hypot(0.04, 0.03))
    assert change.high == pytest.approx(0.15 + np.hypot(0.04, 0.03))
    assert worsening("log_loss", then, now).value == pytest.approx(0.15)
    assert worsening("log_loss", Measure(0.3, None, None, 3), then) is None


def test_drift_is_told_in_words_ranked_by_importance():
    values, predictions, ats = stream(1, 21, 400)
    shares = {"x1": 0.05, "x4": 0.3, "carrier": 0.01}
    reference = load(profile(values, predictions, ats - 21 * WEEK, SCHEMA, importance=shares))
    new, said, when = stream(2, 1, 400)
    new[:, 1] += 2.0
    new[:, 4] += 1.5
    new[:, 6] = np.where(np.arange(400) % 2 == 0, 3.0, new[:, 6])
    log, feedback = logs(new, said, when, np.zeros(400))
    watching = Monitor(endpoint="late", performance=None)
    found = told(log, feedback, monitor=watching, reference=reference)
    (finding,) = [one for one in found.findings if one.rule == "drift"]
    assert finding.severity == "warning"
    assert finding.message.startswith(
        "late: on 1\u20137 January 2013, 3 of 8 features are unlike any 7 days v1 was trained"
    )
    assert "36 % of the model's importance" in finding.message
    assert finding.message.index("x4") < finding.message.index("x1") < finding.message.index("carrier")
    assert "x4 (30 % of importance): median 1." in finding.message
    assert "of values above 1.6" in finding.message
    assert "d makes up 5" in finding.message
    assert [one["feature"] for one in finding.evidence["features"]] == ["x4", "x1", "carrier"]
    light = Monitor(endpoint="late", performance=None, drift=Drift(weight=0.5))
    assert told(log, feedback, monitor=light, reference=reference).findings[0].severity == "info"
    with pytest.raises(UsageError, match="does not fit the version's reference"):
        told(log.with_columns(pl.col("values").list.head(3)), feedback, monitor=watching, reference=reference)
    few = Monitor(endpoint="late", performance=None, min_predictions=1000)
    assert told(log, feedback, monitor=few, reference=reference).report.drift == ()


def test_slow_answers_are_told():
    slow = Monitor(endpoint="late", drift=None, performance=None, latency_ms=0.5)
    (finding,) = told(*world(), monitor=slow).findings
    assert finding.rule == "latency"
    assert "more than the 0.5 ms allowed" in finding.message


def test_categories_never_seen_are_told_from_nulls_by_the_requests():
    values, predictions, ats = stream(1, 21, 100)
    reference = load(profile(values, predictions, ats - 21 * WEEK, SCHEMA))
    new, said, when = stream(2, 1, 400)
    carriers = [CARRIERS[int(code)] for code in new[:, 6]]
    carriers[:80] = ["ZZ"] * 80
    new[:120, 6] = np.nan
    log, feedback = logs(new, said, when, np.zeros(400))
    requests = [
        msgspec.json.encode({"carrier": None if 80 <= at < 120 else carriers[at]}).decode() for at in range(400)
    ]
    watching = Monitor(endpoint="late", performance=None)

    def look(told_requests):
        told_log = log.with_columns(pl.Series("request", told_requests))
        return told(told_log, feedback, monitor=watching, reference=reference)

    def share(told_requests) -> float:
        return next(one.unseen_share for one in look(told_requests).report.drift if one.feature == "carrier")

    assert share(requests) == pytest.approx(0.2)
    [broken] = [one for one in look(requests).findings if one.rule == "inputs"]
    assert "carrier: 20 % of its values are categories that no training row had" in broken.message
    assert share([text.replace("carrier", "airline") for text in requests]) == 0.0
    assert share([text.replace('"a"', '"other"') for text in requests]) == 0.0
