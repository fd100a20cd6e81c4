"""Inputs that break: named whatever drift says, and nothing is said of what only moves."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.monitor.reference import load, profile
from drivetrain.monitor.spec import Drift, Monitor
from drivetrain.monitor.window import Watched, assess
from monitor.world import SCHEMA, START, logs, stream

WEEK = 7 * DAY
MONITOR = Monitor(endpoint="late", performance=None)


@pytest.fixture(scope="module")
def reference():
    values, predictions, ats = stream(1, 26, 400, level=0.3)
    return load(profile(values, predictions, ats - 26 * WEEK, SCHEMA, importance={"x0": 0.6, "x5": 0.01}))


def looked(reference, values, predictions, ats, *, monitor=MONITOR, **watched):
    log, feedback = logs(values, predictions, ats, np.zeros(len(ats)))
    return assess(
        log,
        feedback.clear(),
        monitor=monitor,
        watched=Watched(model="late", version=1, reference=reference, **watched),
        since=START,
        until=START + WEEK,
    )


def said(reference, change, column, **settings):
    values, predictions, ats = stream(5, 1, 400, level=0.3)
    values[:, column] = change(values[:, column])
    return {one.rule: one for one in looked(reference, values, predictions, ats, **settings).findings}


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        (lambda was: np.full_like(was, np.nan), 0, "x0: no value in 100 % of rows, where training lacked 0 %"),
        (lambda was: np.full_like(was, 3.0), 0, "x0: every value is the same"),
        (lambda was: np.full_like(was, 1.0), 7, "night: every value is the same"),
        (lambda was: np.where(np.arange(len(was)) < 3, np.inf, was), 0, "x0: 3 of 400 values are infinite"),
        (lambda was: np.where(np.arange(len(was)) < 1, -np.inf, was), 5, "x5: 1 of 400 values is infinite"),
        (lambda was: was * 1000, 0, "beyond all that training had: has its unit changed?"),
    ],
)
def test_what_broke_is_named(reference, change, column, words):
    found = said(reference, change, column)["inputs"]
    assert words in found.message
    assert found.severity == ("critical" if column == 0 else "warning")
    assert "1 of 8 inputs is broken" in found.message
    assert list(found.evidence["features"]) == [SCHEMA.fields[column].name]


def test_what_only_moves_is_not_broken(reference):
    assert "inputs" not in said(reference, lambda was: was + 2.0, 0)
    assert "inputs" not in said(reference, lambda was: np.where(np.arange(len(was)) < 300, np.nan, was), 0)


def test_nothing_changed_nothing_is_broken(reference):
    for seed in range(200):
        values, predictions, ats = stream(100 + seed, 1, 60, level=0.3, heavy=seed % 2 == 0)
        assert not [one for one in looked(reference, values, predictions, ats).findings if one.rule == "inputs"]


def test_what_training_did_for_as_long_is_not_broken():
    values, predictions, ats = stream(1, 26, 400)
    week = (ats - START) // WEEK
    values[week < 3, 4] = np.nan  # a source that was not there at first
    values[week == 7, 5] = 0.0  # and one that stood still for a week
    values[:, 1] = week + values[:, 7]  # one that counts the weeks
    clear = (week % 5 == 0) & (np.arange(len(week)) % 25 > 0)
    values[clear, 2] = 10.0  # how far one sees, in weeks of which most are fine
    reference = load(profile(values, predictions, ats - 26 * WEEK, SCHEMA))
    for column, value in ((4, np.nan), (5, 0.0), (1, 30.0), (2, 10.0)):
        change = lambda was, value=value: np.full_like(was, value) + (np.arange(len(was)) % 2) * (value == 30.0)  # noqa: E731
        found = said(reference, change, column)
        assert "x" not in found.get("inputs", "") or f"x{column}" not in found["inputs"].evidence["features"]


def test_a_feature_that_is_withheld_or_a_drift_that_is_not_asked_for_says_nothing(reference):
    everything = lambda was: np.full_like(was, np.nan)  # noqa: E731
    assert "inputs" not in said(reference, everything, 0, withheld=frozenset({"x0"}))
    assert "inputs" not in said(reference, everything, 0, monitor=Monitor(endpoint="late", drift=None))
    assert "inputs" in said(reference, everything, 0, monitor=Monitor(endpoint="late", drift=Drift(effect=1e9)))
