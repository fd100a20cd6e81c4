from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, StoreError, TrainingError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Field, InputSchema
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import SCHEMA, ResumeConformance, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import XGBoost

xgboost = need_extra("xgboost")

LABELS = {
    "binary:logistic": lambda task: task.labels,
    "binary:logitraw": lambda task: task.labels,
    "multi:softprob": lambda task: np.nan_to_num(task.rows[:, 3]),
    "reg:squarederror": lambda task: np.nan_to_num(task.rows[:, 0]),
    "reg:absoluteerror": lambda task: np.nan_to_num(task.rows[:, 0]),
    "count:poisson": lambda task: np.nan_to_num(task.rows[:, 1]),
}


def task_of(objective: str) -> tuple[XGBoost, FitTask]:
    """Fifteen rounds of an objective, on labels that it takes."""
    task = make_task()
    more: dict[str, Any] = {"num_class": 4} if objective.startswith("multi") else {}
    trainer = XGBoost(objective=objective, num_boost_round=15, **more)
    return trainer, replace(task, labels=LABELS[objective](task), valid_rows=None, valid_labels=None)


class TestTrainer(TrainerConformance):
    made = "from drivetrain.train.trainers import XGBoost; trainer = XGBoost(num_boost_round=30)"
    kinds = ("binary", "multiclass", "multilabel", "regression", "quantile", "ranking")
    tolerance = 0.0
    rounding = 1e-6


class TestSamples(ResumeConformance):
    """Columns and rows are drawn; it stops early, after more than a stretch of rounds."""

    made = """
from drivetrain.train.trainers import XGBoost
trainer = XGBoost(eta=0.03, max_depth=3, subsample=0.7, colsample_bynode=0.8)
"""
    dies_at = 102


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = XGBoost(num_boost_round=40).fit(make_task())
        fitted.save(tmp_path)
        path = tmp_path / "model.ubj"
        rows, _ = make_rows(300, seed=11)
        expected = np.asarray(xgboost.Booster(model_file=str(path)).inplace_predict(rows), dtype=np.float64)
        return EngineCase(plugins.load("engine", "xgboost"), path, SCHEMA, rows, expected, tolerance=2e-6)


class TestClasses(EngineConformance):
    """Several outputs; the file is JSON."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        trainer, task = task_of("multi:softprob")
        trainer.fit(task).save(tmp_path)
        booster = xgboost.Booster(model_file=str(tmp_path / "model.ubj"))
        path = tmp_path / "model.json"
        booster.save_model(path)
        rows, _ = make_rows(200, seed=11)
        expected = np.asarray(booster.inplace_predict(rows), dtype=np.float64)
        return EngineCase(plugins.load("engine", "xgboost"), path, SCHEMA, rows, expected)

    def test_explanations_add_up(self, case: EngineCase) -> None:
        margins = np.asarray(case.open().explain(case.rows)).sum(axis=2)
        assert margins.shape == (200, 4)
        shares = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
        assert np.max(np.abs(shares - case.expected)) < 1e-5


class TestGraph(EngineConformance):
    """The same trees as ONNX Runtime serves them."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = XGBoost(num_boost_round=40).fit(make_task())
        assert fitted.save(tmp_path) == [("model.ubj", "xgboost"), ("model.onnx", "onnx")]
        rows, _ = make_rows(300, seed=11)
        load = plugins.load("engine", "onnx")
        return EngineCase(load, tmp_path / "model.onnx", SCHEMA, rows, fitted.predict(rows), tolerance=2e-6)


@pytest.mark.parametrize("objective", LABELS)
def test_every_objective_answers_as_the_library_natively_and_as_a_graph(objective: str, tmp_path: Path) -> None:
    trainer, task = task_of(objective)
    fitted = trainer.fit(task)
    rows, _ = make_rows(3_000, seed=3)
    expected = np.asarray(fitted.predict(rows))
    for (name, format), allowed in zip(fitted.save(tmp_path), (0.0, 2e-6), strict=True):
        engine = plugins.load("engine", format)(tmp_path / name, SCHEMA)
        answers = np.asarray(engine.predict(rows))
        assert answers.shape == expected.shape
        assert np.max(np.abs(answers - expected) / np.maximum(1, np.abs(expected))) <= allowed
        alone = np.array([engine.predict_row(row) for row in rows[:30].tolist()])
        assert np.max(np.abs(alone - answers[:30])) <= allowed


def test_a_base_score_of_ones_own_is_part_of_the_answer(tmp_path: Path) -> None:
    task = make_task()
    fitted = XGBoost(base_score=0.9, num_boost_round=1, eta=1e-6).fit(task)
    for name, format in fitted.save(tmp_path):
        engine = plugins.load("engine", format)(tmp_path / name, SCHEMA)
        assert engine.predict_row(task.rows[0].tolist()) == pytest.approx(0.9, abs=1e-4)


def test_dart_has_no_graph(tmp_path: Path) -> None:
    fitted = XGBoost(booster="dart", rate_drop=0.5, num_boost_round=5).fit(make_task())
    assert fitted.save(tmp_path) == [("model.ubj", "xgboost")]


def test_stops_early_and_keeps_the_best_rounds_only() -> None:
    fitted = XGBoost().fit(make_task())
    rounds = fitted.parameters()["num_boost_round"]
    assert isinstance(rounds, int)
    assert 1 < rounds < 1_000
    again = XGBoost(num_boost_round=rounds).fit(make_task())
    rows, _ = make_rows(100, seed=5)
    assert np.array_equal(again.predict(rows), fitted.predict(rows))


def test_the_number_of_threads_changes_nothing() -> None:
    task = make_task()
    one, two = (
        XGBoost(num_boost_round=20).fit(replace(task, threads=threads)).predict(task.rows) for threads in (1, 2)
    )
    assert np.array_equal(one, two)


def test_reports_the_metric_asked_for_every_round() -> None:
    seen: list[tuple[int, float]] = []
    task = replace(make_task(), metric="roc_auc", report=lambda iteration, value: seen.append((iteration, value)))
    XGBoost(num_boost_round=7).fit(task)
    assert [iteration for iteration, _ in seen] == list(range(7))
    assert all(0.5 < value <= 1 for _, value in seen)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"nthread": 2}, "set by the fit itself"),
        ({"objective": "nonsense"}, "XGBoost can't fit"),
        ({"eta": -1}, "learning_rate"),
        ({"max_dept": 3}, "max_dept.*max_depth"),
    ],
)
def test_a_parameter_it_can_not_take(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        XGBoost(num_boost_round=1, **parameters).fit(make_task())


def test_an_alias_is_the_parameter() -> None:
    assert XGBoost(learning_rate=0.3, n_estimators=2).fit(make_task()).parameters().items() >= {
        "eta": 0.3, "num_boost_round": 2,
    }.items()  # fmt: skip


@pytest.mark.parametrize("text", ['{"learner": {}}', "{}", json.dumps({"version": [3, 2, 0]})])
def test_json_that_is_no_model_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(StoreError) as refused:
        plugins.load("engine", "xgboost")(path, InputSchema((Field("one"),)))
    assert "c_api" not in str(refused.value)


def test_serving_imports_no_heavy_library(tmp_path: Path) -> None:
    XGBoost(num_boost_round=2).fit(make_task()).save(tmp_path)
    code = """
import sys
from pathlib import Path
from drivetrain.core import plugins
from drivetrain.core.records import Field, InputSchema
engine = plugins.load("engine", "xgboost")(Path(sys.argv[1]), InputSchema(tuple(Field(str(at)) for at in range(5))))
engine.predict_row([1.0] * 5)
print([name for name in ("xgboost", "pandas", "sklearn", "scipy") if name in sys.modules])
"""
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.ubj")], check=True, capture_output=True, text=True
    )
    assert said.stdout.strip() == "[]"


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    code = """
import importlib.util, sys
from pathlib import Path
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "xgboost" else found(name, *more)
from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra
from drivetrain.core.records import Field, InputSchema
try:
    plugins.load("engine", "xgboost")(Path("model.ubj"), InputSchema((Field("one"),)))
except MissingExtra as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ)
    assert 'pip install "drivetrain[xgboost]"' in said.stdout
    assert issubclass(MissingExtra, Exception)
