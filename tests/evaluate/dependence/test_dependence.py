"""Partial dependence beside scikit-learn's, and where rows lie."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.inspection import partial_dependence
from sklearn.linear_model import LogisticRegression

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.dependence.report import MOST_ROWS, dependence
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
