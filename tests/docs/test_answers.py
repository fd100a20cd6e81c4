"""What ``docs/answers.md`` tells people to type, typed; and its table of metrics, against those there are."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import polars as pl
from sklearn.datasets import load_iris
from tests.docs.executed import REPOSITORY, run_page

from drivetrain.core.records import TaskKind
from drivetrain.core.records.task import DEFAULT_METRICS
from drivetrain.evaluate.metrics import SETS

SIZES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def test_the_page_does_what_it_says(tmp_path):
    rows, kind = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    (tmp_path / "raw").mkdir()
    pl.DataFrame(
        {
            "flower": [f"f{number:03d}" for number in range(150)],
            "picked": [f"2026-{1 + at // 28:02d}-{1 + at % 28:02d}T12:00:00Z" for at in range(150)],
            **{name: rows[order, at] for at, name in enumerate(SIZES)},
            "species": np.array(["setosa", "versicolor", "virginica"])[kind[order]],
        }
    ).write_csv(tmp_path / "raw" / "iris.csv")
    assert run_page("answers.md", tmp_path) == 2


def test_every_metric_is_on_the_page_under_its_kind():
    text = (REPOSITORY / "docs" / "answers.md").read_text("utf-8")
    for kind in get_args(TaskKind):
        (row,) = re.findall(rf"^\| `{kind}` \| `(.*)$", text, re.MULTILINE)
        assert row.startswith(f"{DEFAULT_METRICS[kind]}`")
        for name in (*SETS[kind].metrics, *SETS[kind].points):
            words = {"base_rate": "base rate", "mean_prediction": "mean prediction", "calibration_gap": "their gap"}
            words |= {"mean_predicted": "both means", "mean_observed": "both means"}
            assert words.get(name, name) in row, (kind, name)
