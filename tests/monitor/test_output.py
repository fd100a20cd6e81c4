"""What is watched of answers that are no yes or no."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.monitor.world import SCHEMA, START, logs

from drivetrain.core.clock import DAY
from drivetrain.core.records import Task
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.monitor.output import output_of, outputs_logged
from drivetrain.monitor.reference import load, profile
from drivetrain.monitor.spec import Drift, Monitor, Performance
from drivetrain.monitor.window import Watched, assess

NUMBER, CLASSES, LEVELS = Task("regression"), Task("multiclass", ("a", "b", "c")), Task("quantile", levels=(0.1, 0.9))


def seen(monitor: Monitor, log: pl.DataFrame, feedback: pl.DataFrame, **watched: object):
    until = START + 8 * DAY
    judged = Watched(model="late", version=1, **watched)
    return assess(log, feedback, monitor=monitor, watched=judged, since=START, until=until)


def days(seed: int, rows: int = 400, length: int = 8) -> tuple[np.random.Generator, np.ndarray]:
    return np.random.default_rng(seed), START + np.repeat(np.arange(length), rows) * DAY + DAY // 2


def test_a_number_that_misses_by_more_than_it_did_is_told_of():
    chance, ats = days(1)
    truth = chance.normal(20, 5, len(ats))
    evaluation = evaluate(
        truth + chance.normal(0, 2, len(ats)), truth, ats,
        subject=Subject(run_id="r", model="late", data="t", task=NUMBER),
    )  # fmt: skip
    asked = Performance(metric="mae", drop=0.5, also={}, calibration=None)
    monitor = Monitor(endpoint="late", drift=None, performance=asked)
    for spread, alarms in ((2.0, 0), (6.0, 1)):
        said = truth + chance.normal(0, spread, len(ats))
        found = seen(monitor, *logs(np.zeros((len(ats), 8)), said, ats, truth), evaluation=evaluation)
        assert found.report.performance["mae"].value == pytest.approx(np.mean(np.abs(said - truth)))
        assert len(found.findings) == alarms
    assert "mean absolute error rose to" in found.findings[0].message
    assert found.findings[0].severity == "critical"


def test_quantiles_are_judged_by_what_was_logged_for_each():
    chance, ats = days(2)
    truth = chance.normal(size=len(ats))
    said = np.column_stack([np.full(len(ats), -1.2), np.full(len(ats), 1.2)])
    subject = Subject(run_id="r", model="late", data="t", task=LEVELS)
    evaluation = evaluate(said, truth, ats, subject=subject)
    log, feedback = logs(np.zeros((len(ats), 8)), np.zeros(len(ats)), ats, truth)
    log = log.with_columns(pl.lit(None, pl.Float64).alias("prediction"), scores=pl.Series(said.tolist()))
    found = seen(Monitor(endpoint="late", drift=None), log, feedback, evaluation=evaluation)
    assert found.report.performance["interval_coverage@0.8"].value == np.mean(np.abs(truth) <= 1.2)


def test_classes_drift_when_others_are_named_and_are_not_scored_by_numbers():
    chance, ats = days(3, length=60)
    shares = chance.dirichlet((4, 2, 1), len(ats))
    inputs = chance.normal(size=(len(ats), 8))
    inputs[:, 6:] = 0
    reference = load(profile(inputs, shares, ats, SCHEMA, task=CLASSES))
    assert reference.output.names[:3] == ("a", "b", "c")
    labels = shares.argmax(axis=1).astype(float)
    evaluation = evaluate(shares, labels, ats, subject=Subject(run_id="r", model="late", data="t", task=CLASSES))
    for mix, drifted in (((4, 2, 1), False), ((1, 2, 4), True)):
        week = ats[: 7 * 400]
        said = np.random.default_rng(4).dirichlet(mix, len(week))
        log, feedback = logs(inputs[: len(week)], np.zeros(len(week)), week, said.argmax(axis=1).astype(float))
        log = log.with_columns(pl.lit(None, pl.Float64).alias("prediction"), scores=pl.Series(said.tolist()))
        monitor = Monitor(endpoint="late", drift=Drift())
        report = seen(monitor, log, feedback, reference=reference, evaluation=evaluation).report
        assert report.performance == {}
        assert report.output.drifted == drifted


def test_what_was_logged_of_another_version_or_a_default_is_missing():
    rows = pl.DataFrame(
        {"prediction": [0.5, None, None], "scores": [None, [0.1, 0.7, 0.2], [0.4, 0.6]]},
        schema={"prediction": pl.Float64, "scores": pl.List(pl.Float64)},
    )
    field, values = output_of(outputs_logged(rows, CLASSES), CLASSES)
    assert (field.type, field.categories) == ("category", CLASSES.classes)
    assert values[1] == 1.0
    assert np.isnan(values[[0, 2]]).all()
    assert outputs_logged(rows, NUMBER)[0] == 0.5
    assert np.isnan(outputs_logged(rows, NUMBER)[1:]).all()
    _, middle = output_of(np.array([[1.0, 2.0, 9.0]]), Task("quantile", levels=(0.1, 0.5, 0.9)))
    _, expected = output_of(np.array([[0.25, 0.5]]), Task("multilabel", ("a", "b")))
    assert (middle.tolist(), expected.tolist()) == ([2.0], [0.75])
