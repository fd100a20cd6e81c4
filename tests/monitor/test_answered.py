"""Labels told by name or number, beside the answers they belong to, for every kind of answer."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as golden
from tests.monitor.world import START, logs

from drivetrain.core.clock import DAY
from drivetrain.core.records import Task
from drivetrain.monitor.answered import answered
from drivetrain.monitor.labels import join_labels
from drivetrain.monitor.performance import measure_performance

ROWS = 600
ATS = START + np.arange(ROWS) * DAY // 60


def joined(said: np.ndarray, *, numbers: np.ndarray | None = None, names: list[list[str] | None] | None = None):
    """A log of these answers, and the labels that came for them."""
    log, feedback = logs(
        np.zeros((ROWS, 8)), np.zeros(ROWS), ATS, np.full(ROWS, np.nan) if numbers is None else numbers
    )
    if said.ndim == 2:
        log = log.with_columns(pl.lit(None, pl.Float64).alias("prediction"), scores=pl.Series(said.tolist()))
    else:
        log = log.with_columns(prediction=pl.Series(said), scores=pl.lit(None, pl.List(pl.Float64)))
    feedback = feedback.with_columns(names=pl.Series(names or [None] * ROWS, dtype=pl.List(pl.String)))
    return join_labels(log, feedback, endpoint="late")


def test_classes_by_name():
    chance = np.random.default_rng(0)
    said = chance.dirichlet((2, 2, 2), ROWS)
    truth = np.array([chance.choice(3, p=row) for row in said])
    names: list[list[str] | None] = [["abc"[which]] for which in truth]
    names[0], names[1], names[2] = ["zebra"], None, []
    found = answered(joined(said, names=names), Task("multiclass", ("a", "b", "c")))
    assert found.places.tolist() == list(range(3, ROWS)), "unknown, not come, and no class at all"
    metrics = measure_performance(found.answers, found.ats)
    assert metrics["accuracy"].value == pytest.approx(np.mean(said[3:].argmax(axis=1) == truth[3:]))
    assert metrics["log_loss"].value == pytest.approx(golden.log_loss(truth[3:], said[3:]))
    assert metrics["accuracy"].low < metrics["accuracy"].value < metrics["accuracy"].high


def test_several_labels_by_name_and_none_of_them():
    chance = np.random.default_rng(1)
    said = chance.random((ROWS, 2))
    truth = chance.random((ROWS, 2)) < said
    names: list[list[str] | None] = [
        [name for name, holds in zip(("x", "y"), row, strict=True) if holds] for row in truth
    ]
    found = answered(joined(said, names=names), Task("multilabel", ("x", "y")))
    assert found.answers.labels.shape == (ROWS, 2)
    metrics = measure_performance(found.answers, found.ats)
    assert metrics["micro_f1"].value == pytest.approx(golden.f1_score(truth, said >= 0.5, average="micro"))
    assert metrics["subset_accuracy"].value == pytest.approx(golden.accuracy_score(truth, said >= 0.5))


def test_the_instances_of_a_request_are_what_is_ranked():
    chance = np.random.default_rng(2)
    said, grades = chance.normal(size=ROWS), chance.integers(0, 4, ROWS).astype(float)
    rows = joined(said, numbers=grades).with_columns(request_id=pl.Series([f"r{at % 100}" for at in range(ROWS)]))
    found = answered(rows, Task("ranking"))
    assert found.answers.groups is not None
    assert np.bincount(found.answers.groups).tolist() == [6] * 100
    gains = np.exp2(grades) - 1
    asked = np.arange(ROWS) % 100
    each = [golden.ndcg_score([gains[asked == at]], [said[asked == at]], k=5) for at in range(100)]
    assert measure_performance(found.answers, found.ats)["ndcg@5"].value == pytest.approx(
        np.mean([value for at, value in enumerate(each) if gains[asked == at].any()])
    )


def test_a_label_of_another_kind_is_not_judged_by():
    chance = np.random.default_rng(3)
    said = chance.dirichlet((2, 2), ROWS)
    numbers = joined(said, numbers=np.ones(ROWS))
    assert answered(numbers, Task("multiclass", ("a", "b"))).answers.rows == 0
    names = joined(said[:, 0], names=[["a"]] * ROWS)
    assert answered(names, Task()).answers.rows == 0
    assert measure_performance(answered(names, Task()).answers, np.array([], np.int64)) == {}


def test_a_log_from_before_names_is_read():
    log, feedback = logs(np.zeros((ROWS, 8)), np.full(ROWS, 0.5), ATS, np.ones(ROWS))
    found = join_labels(log, feedback, endpoint="late")
    assert found["_label"].sum() == ROWS
    assert found["_names"].null_count() == ROWS
