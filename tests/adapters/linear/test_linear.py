from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.records import Field, InputSchema
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.trainer import SCHEMA, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import TextLinear

WIDE = InputSchema(tuple(Field(f"sms.message 'w{at}'", "text") for at in range(6)))


class TestTextLinear(TrainerConformance):
    made = "from drivetrain.train.trainers import TextLinear; trainer = TextLinear()"


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = TextLinear().fit(make_task())
        fitted.save(tmp_path)
        rows, _ = make_rows(300, seed=11)
        load = plugins.load("engine", "linear")
        return EngineCase(load, tmp_path / "linear.json", SCHEMA, rows, np.asarray(fitted.predict(rows)))


def wide_task() -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(3)
    rows = np.where(chance.random((800, 6)) < 0.3, chance.random((800, 6)), 0.0)
    labels = (chance.random(800) < 1 / (1 + np.exp(2 - 6 * rows[:, 0] + 4 * rows[:, 1]))).astype(np.float64)
    return rows, labels


def test_numbers_of_texts_are_read_as_they_are() -> None:
    """On them alone the model is scikit-learn's own logistic regression, to its tolerance."""
    rows, labels = wide_task()
    task = replace(make_task(), rows=rows, labels=labels, valid_rows=None, valid_labels=None, schema=WIDE)
    fitted = TextLinear(C=2.0).fit(task)
    peer = LogisticRegression(C=2.0, tol=1e-10, max_iter=5_000).fit(rows, labels)
    assert np.max(np.abs(fitted.predict(rows) - peer.predict_proba(rows)[:, 1])) < 1e-4


def test_explanations_are_coefficient_times_distance_from_the_mean(tmp_path: Path) -> None:
    rows, labels = wide_task()
    task = replace(make_task(), rows=rows, labels=labels, valid_rows=None, valid_labels=None, schema=WIDE)
    fitted = TextLinear(C=2.0).fit(task)
    (name, _), *_ = fitted.save(tmp_path)
    engine = plugins.load("engine", "linear")(tmp_path / name, WIDE)
    explained = np.asarray(engine.explain(rows[:20]))
    slopes = LogisticRegression(C=2.0, tol=1e-10, max_iter=5_000).fit(rows, labels).coef_[0]
    assert np.allclose(explained[:, :-1], slopes * (rows[:20] - rows.mean(axis=0)), atol=1e-3)
    shares = fitted.importance()
    assert max(shares, key=shares.__getitem__) == "sms.message 'w0'"


def test_classes_that_count_alike() -> None:
    task = make_task()
    rare = task.labels * (np.arange(len(task.labels)) % 5 == 0)
    plain, balanced = (
        np.asarray(TextLinear(balanced=each).fit(replace(task, labels=rare)).predict(task.rows)).mean()
        for each in (False, True)
    )
    assert plain == pytest.approx(rare.mean(), abs=0.02)
    assert balanced > plain + 0.2


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("inf")])
def test_no_strength_is_refused(wrong: float) -> None:
    with pytest.raises(TrainingError, match="C of text_linear must be a number above 0"):
        TextLinear(C=wrong).fit(make_task())


def test_a_parameter_that_there_is_not() -> None:
    with pytest.raises(TrainingError, match="has no parameter depth"):
        plugins.load("trainer", "linear")(depth=3)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "linear.json").write_text("{}")
    with pytest.raises(StoreError, match="is no linear model"):
        plugins.load("engine", "linear")(tmp_path / "linear.json", SCHEMA)
