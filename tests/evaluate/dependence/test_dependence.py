"""Partial dependence beside scikit-learn's, and where rows lie."""

from __future__ import annotations

import lightgbm
import numpy as np
import polars as pl
import pytest
from sklearn.inspection import partial_dependence
from sklearn.linear_model import LogisticRegression

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.dependence.moved import moved
from drivetrain.evaluate.dependence.report import MOST_EXPLAINED, MOST_ROWS, dependence
from drivetrain.evaluate.dependence.wording import goes_with
from drivetrain.evaluate.report import Subject

SUBJECT = Subject(run_id="r", model="late", data="table:training/late@3")


def test_points_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    rows = pl.DataFrame({"x": random.normal(size=300), "y": random.normal(size=300)})
    labels = random.random(300) < 1 / (1 + np.exp(-rows["x"].to_numpy() - rows["y"].to_numpy() ** 2))
    model = LogisticRegression().fit(rows.to_numpy(), labels)

    def ask(frame, changes):
        return model.predict_proba(frame.with_columns(**changes).to_numpy())[:, 1]

    report = dependence(rows, np.arange(300) % 12 * DAY, ["x", "y"], ask, subject=SUBJECT)
    for at, found in enumerate(report.features):
        grid = np.linspace(*np.quantile(rows[:, at].to_numpy(), [0.05, 0.95]), 9)
        theirs = partial_dependence(model, rows.to_numpy(), [at], custom_values={at: grid}, method="brute")
        assert [float(point.value) for point in found.points] == pytest.approx(grid, rel=1e-3)
        assert [point.said.value for point in found.points] == pytest.approx(theirs["average"][0], abs=1e-9)
        assert all(point.said.low < point.said.value < point.said.high for point in found.points)
        assert sum(point.near for point in found.points) == pytest.approx(1.0)
    assert goes_with(report)[0].startswith("As x grows, the mean answer goes from ")


def test_values_of_text_are_told_with_how_common_they_are_and_what_can_not_be_asked_is_left_out():
    rows = pl.DataFrame({"carrier": ["EV"] * 600 + ["UA"] * 200, "same": [1.0] * 800, "shut": range(800)})

    def ask(frame, changes):
        if "shut" in changes:
            raise UsageError("shut can't be changed")
        return np.where((frame.with_columns(**changes)["carrier"] == "EV").to_numpy(), 0.4, 0.1)

    report = dependence(rows, np.arange(800) % 12 * DAY, ["shut", "same", "carrier"], ask, subject=SUBJECT)
    (found,) = report.features
    assert report.rows == MOST_ROWS
    assert [(point.value, point.said.value) for point in found.points] == [
        ("EV", pytest.approx(0.4)),
        ("UA", pytest.approx(0.1)),
    ]
    assert found.points[0].near == pytest.approx(0.75, abs=0.05)
    assert goes_with(report) == ["With carrier, the mean answer lies between 10 % (UA) and 40 % (EV)."]


def test_what_moved_the_answers_is_lightgbms_own_mean_contribution():
    random = np.random.default_rng(3)
    rows = random.normal(size=(400, 3))
    labels = random.random(400) < 1 / (1 + np.exp(-2 * rows[:, 0] - rows[:, 1]))
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1}, lightgbm.Dataset(rows, labels), 20
    )
    told = np.asarray(booster.predict(rows, pred_contrib=True))
    found = moved(told, ["a", "b", "noise"])
    strength = np.abs(told[:, :3]).mean(axis=0)
    assert list(found) == ["a", "b", "noise"]
    assert list(found.values()) == pytest.approx(strength / strength.sum())
    assert moved(np.stack([told, -told], axis=1), ["a", "b", "noise"]) == pytest.approx(found), "outputs are added up"
    assert moved(np.zeros((3, 4)), ["a", "b", "noise"]) == {}


def test_the_report_says_what_moved_and_leaves_it_out_where_nobody_can_tell():
    rows = pl.DataFrame({"x": np.arange(300.0)})

    def ask(frame, changes):
        return frame.with_columns(**changes)["x"].to_numpy() / 300

    asked = []

    def explain(some):
        asked.append(some.height)
        return {"x": 1.0}

    ats = np.arange(300) % 12 * DAY
    report = dependence(rows, ats, ["x"], ask, subject=SUBJECT, explain=explain)
    assert asked == [MOST_EXPLAINED]
    assert goes_with(report)[0] == "What moved the answers to single rows, on average: x (100 %) (SHAP importance)."
    assert dependence(rows, ats, ["x"], ask, subject=SUBJECT).moved == {}
