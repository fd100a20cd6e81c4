"""Behaviours of models whose behaviour is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from drivetrain.core.clock import DAY
from drivetrain.core.errors import FeatureError, ProjectError, UnknownName, UsageError
from drivetrain.evaluate.behaviour.judging import MOST_ROWS, Tried, behave
from drivetrain.evaluate.behaviour.spec import direction, invariance, minimum
from drivetrain.evaluate.behaviour.verdict import behaviour_outcomes
from drivetrain.evaluate.report import Subject

SUBJECT = Subject(run_id="r", model="late", data="table:training/late@3")
ROWS = 400


def said(rows, changes=None):
    """Rises with the delay, falls for carrier B6 alone, and turns back for delays beyond 90."""
    frame = rows.with_columns(**(changes or {}))
    delay = frame["delay"].cast(pl.Float64).fill_null(0.0).to_numpy()
    odds = np.where(delay > 90, 1.0, delay / 60) - 0.5 * (frame["carrier"] == "B6").fill_null(value=False).to_numpy()
    return 1 / (1 + np.exp(-odds))


def tried(many=ROWS, **changes):
    random = np.random.default_rng(0)
    rows = pl.DataFrame(
        {"delay": random.uniform(0, 60, many), "carrier": random.choice(["EV", "B6", "UA"], many), "id": range(many)}
    )
    predictions = said(rows)
    labels = (random.random(many) < predictions).astype(float)
    asked = {"rows": rows, "labels": labels, "predictions": predictions, "ats": np.arange(many) % 20 * DAY, "ask": said}
    return Tried(**asked | changes)


def outcome(behaviour, on=None):
    (found,) = behave([behaviour], on or tried(), subject=SUBJECT).outcomes
    return found


def test_what_the_answer_does_not_read_changes_nothing():
    found = outcome(invariance("id", within=0.0, at_least=1.0))
    assert (found.passed, found.rows, found.broken, found.example) == (True, ROWS, 0, None)


def test_what_it_does_read_is_counted_with_the_worst_row():
    on = tried()
    found = outcome(invariance("carrier"), on)
    assert not found.passed
    assert found.broken == ROWS  # whoever flies, another carrier's answer is another
    assert {found.example.was, found.example.became} & {"B6"}
    gap = abs(found.example.before - found.example.after)
    swings = [abs(said(on.rows, {"carrier": pl.Series([to] * ROWS)}) - on.predictions) for to in ("EV", "B6", "UA")]
    assert gap == pytest.approx(np.max(swings))
    assert "asked for in 95 %" in found.reason
    among = outcome(invariance("carrier", ["EV", "UA"]), on)
    assert among.broken == int((on.rows["carrier"] == "B6").sum())


def test_directions_hold_or_are_broken_where_they_are():
    assert outcome(direction("delay", "up")).passed
    down = outcome(direction("delay", "down"))
    assert (down.passed, down.broken) == (False, ROWS)
    on = tried()
    turning = outcome(direction("delay", "up", by=85.0), on)
    expected = said(on.rows, {"delay": on.rows["delay"] + 85.0}) < on.predictions
    assert turning.broken == int(expected.sum())
    assert turning.passed == (expected.mean() <= 0.05)


def test_rows_without_the_number_are_not_tried():
    rows = tried().rows.with_columns(delay=pl.when(pl.col("id") % 4 > 0).then("delay"))
    on = tried(rows=rows, predictions=said(rows))
    assert outcome(direction("delay", "up"), on).rows == 300
    nothing = tried(rows=rows.with_columns(delay=pl.lit(None, pl.Float64)))
    found = outcome(direction("delay", "up"), nothing)
    assert (found.passed, found.rows) == (False, 0)
    assert "can't be tried" in found.reason


def test_a_minimum_is_measured_among_the_rows_meant():
    on = tried(4000)
    picked = (on.rows["carrier"] == "EV").to_numpy()
    expected = roc_auc_score(on.labels[picked], on.predictions[picked])
    ev = pl.col("carrier") == "EV"
    low, high = (outcome(minimum("roc_auc", ev, at_least=expected + by), on) for by in (-1e-9, 1e-9))
    assert (low.passed, high.passed) == (True, False)
    assert low.figure.value == pytest.approx(expected, abs=1e-12)
    assert low.rows == int(picked.sum())
    sure = outcome(minimum("roc_auc", ev, at_least=expected - 1e-9, surely=True), on)
    assert not sure.passed
    few = outcome(minimum("roc_auc", pl.col("id") < 20, at_least=0.1), on)
    assert "can't be told from 20 rows" in few.reason


def test_of_many_rows_some_are_drawn_and_personal_values_are_not_told():
    on = tried(MOST_ROWS + 1000, personal=frozenset({"carrier"}))
    found = outcome(invariance("carrier"), on)
    assert found.rows == MOST_ROWS
    assert found.example.was == found.example.became == "(not told)"
    assert "EV" not in found.reason


def test_what_can_not_be_asked_is_said():
    def refusing(rows, changes):
        raise UsageError("delay can't be changed: 'ratios' would have to be computed again")

    found = outcome(direction("delay", "up"), tried(ask=refusing))
    assert (found.passed, found.rows) == (False, 0)
    assert "'ratios' would have to be computed again" in found.reason


def test_every_behaviour_is_a_gate_of_its_own():
    report = behave([invariance("id"), direction("delay", "down")], tried(), subject=SUBJECT)
    assert [(each.gate, each.passed) for each in behaviour_outcomes(report)] == [
        ("behaviour: id changes nothing", True),
        ("behaviour: delay up, prediction down", False),
    ]
    (none,) = behaviour_outcomes(None)
    assert not none.passed


def test_what_can_not_be_meant_is_refused_when_declared():
    with pytest.raises(ProjectError, match="found 'sideways'"):
        direction("delay", "sideways")
    with pytest.raises(ProjectError, match="no growth"):
        direction("delay", "up", by=0)
    with pytest.raises(ProjectError, match="impossible figures"):
        invariance("carrier", at_least=0)
    with pytest.raises(ProjectError, match="has no minimum"):
        minimum("log_loss", pl.col("delay") > 1, at_least=0.1)
    with pytest.raises(UnknownName, match="no metric"):
        minimum("kindness", pl.col("delay") > 1, at_least=0.1)
    with pytest.raises((FeatureError, ProjectError)):
        minimum("roc_auc", pl.col("delay") > pl.col("delay").mean(), at_least=0.1)
