from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.task import TaskKind
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.trainer import SCHEMA, ResumeConformance, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import LightGBM


class TestTrainer(TrainerConformance):
    made = "from drivetrain.train.trainers import LightGBM; trainer = LightGBM(num_iterations=30)"
    kinds = get_args(TaskKind)
    tolerance = 0.0
    dies_at = 11


class TestStopsEarly(ResumeConformance):
    """By the validation rows, wherever it was killed."""

    made = "from drivetrain.train.trainers import LightGBM; trainer = LightGBM(max_bin=255, feature_fraction=0.4)"
    dies_at = 25


class TestOrders(ResumeConformance):
    """Groups are put in order; it stops by what rises."""

    made = "from drivetrain.train.trainers import LightGBM; trainer = LightGBM(min_data_in_leaf=5)"
    dies_at = 12
    kind = "ranking"


class TestBags(ResumeConformance):
    """Rows are drawn by generators that a model's text does not hold: a fit that was killed begins again."""

    made = """
from drivetrain.train.trainers import LightGBM
trainer = LightGBM(num_iterations=20, bagging_freq=1, bagging_fraction=0.6)
"""


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        LightGBM().fit(make_task()).save(tmp_path)
        rows, _ = make_rows(500, seed=11)
        path = tmp_path / "model.txt"
        lightgbm = sys.modules["lightgbm"]  # imported by the fit: earlier, and its threads would spin
        expected = lightgbm.Booster(model_file=str(path)).predict(rows, num_threads=1)
        return EngineCase(plugins.load("engine", "lightgbm"), path, SCHEMA, rows, expected)


def test_stops_early_and_says_where() -> None:
    fitted = LightGBM().fit(make_task())
    assert 1 < fitted.parameters()["num_iterations"] < 1_000


def test_the_number_of_threads_changes_nothing() -> None:
    task = make_task()
    one, two = (LightGBM().fit(replace(task, threads=threads)).predict(task.rows) for threads in (1, 2))
    assert np.array_equal(one, two)


def test_reports_the_metric_asked_for_every_round() -> None:
    seen: list[tuple[int, float]] = []
    task = replace(make_task(), metric="roc_auc", report=lambda iteration, value: seen.append((iteration, value)))
    LightGBM(num_iterations=12).fit(task)
    assert [iteration for iteration, _ in seen] == list(range(12))
    assert all(0.5 < value <= 1 for _, value in seen)


def test_a_report_may_end_the_fit() -> None:
    class Enough(Exception):
        pass

    def report(iteration: int, value: float) -> None:
        if iteration == 3:
            raise Enough

    with pytest.raises(Enough):
        LightGBM().fit(replace(make_task(), report=report))


def test_regression() -> None:
    task = make_task()
    task = replace(task, labels=task.rows[:, 3] * 2.0 + 1, valid_labels=task.valid_rows[:, 3] * 2.0 + 1)
    known = ~np.isnan(task.labels)
    task = replace(task, rows=task.rows[known], labels=task.labels[known], valid_rows=None, valid_labels=None)
    predicted = LightGBM(objective="regression").fit(task).predict(task.rows)
    assert np.mean(np.abs(predicted - task.labels)) < 0.2


def test_more_than_two_classes(tmp_path: Path) -> None:
    task = make_task()
    labels = np.nan_to_num(task.rows[:, 3])
    trainer = LightGBM(objective="multiclass", num_class=4, num_iterations=5)
    fitted = trainer.fit(replace(task, labels=labels, valid_rows=None, valid_labels=None))
    fitted.save(tmp_path)
    engine = plugins.load("engine", "lightgbm")(tmp_path / "model.txt", SCHEMA)
    assert np.array_equal(engine.predict(task.rows), fitted.predict(task.rows))
    assert np.array_equal(
        np.array([engine.predict_row(row) for row in task.rows[:20].tolist()]), engine.predict(task.rows[:20])
    )
    margins = engine.explain(task.rows).sum(axis=2)
    assert np.allclose(np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True), engine.predict(task.rows))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"num_leafs": 31}, "num_leaves"), ({"num_threads": 2}, "set by the fit itself"), ({"metric": "auc"}, "itself")],
)
def test_a_parameter_it_can_not_take(parameters: dict[str, int], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        LightGBM(**parameters).fit(make_task())


def test_an_alias_is_the_parameter() -> None:
    assert "num_leaves" not in LightGBM(max_leaves=10).search_space()
    assert LightGBM(max_leaves=10, n_estimators=3).fit(make_task()).parameters()["num_leaves"] == 10


def test_lightgbms_own_complaint_is_passed_on() -> None:
    with pytest.raises(TrainingError, match="LightGBM can't fit"):
        LightGBM(boosting="nonsense").fit(make_task())


def test_a_matrix_of_another_width(tmp_path: Path) -> None:
    LightGBM(num_iterations=2).fit(make_task()).save(tmp_path)
    engine = plugins.load("engine", "lightgbm")(tmp_path / "model.txt", SCHEMA)
    with pytest.raises(StoreError, match="another shape"):
        engine.predict(np.zeros((2, 3)))
    with pytest.raises(Exception, match="expected"):
        engine.predict_row([1.0])


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    LightGBM(num_iterations=5).fit(make_task()).save(tmp_path)
    path = tmp_path / "model.txt"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StoreError, match="LightGBM could not"):
        plugins.load("engine", "lightgbm")(path, SCHEMA)


def test_serving_imports_no_heavy_library(tmp_path: Path) -> None:
    LightGBM(num_iterations=2).fit(make_task()).save(tmp_path)
    code = """
import sys
from pathlib import Path
from drivetrain.core import plugins
from drivetrain.core.records import Field, InputSchema
engine = plugins.load("engine", "lightgbm")(Path(sys.argv[1]), InputSchema(tuple(Field(str(at)) for at in range(5))))
engine.predict_row([1.0] * 5)
print([name for name in ("lightgbm", "pandas", "sklearn", "scipy") if name in sys.modules])
"""
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.txt")], check=True, capture_output=True, text=True
    )
    assert said.stdout.strip() == "[]"


def test_schema_of_another_width(tmp_path: Path) -> None:
    LightGBM(num_iterations=2).fit(make_task()).save(tmp_path)
    with pytest.raises(StoreError, match="5 features"):
        plugins.load("engine", "lightgbm")(tmp_path / "model.txt", InputSchema((Field("one"),)))


def test_threads_that_would_spin_are_not_used() -> None:
    code = """
import lightgbm
from drivetrain.adapters.lightgbm.library import patient
print(patient())
"""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for imports, expected in ((code, "False"), (code.replace("import lightgbm\n", ""), "True")):
        said = subprocess.run(
            [sys.executable, "-c", imports], check=True, capture_output=True, text=True, env=environment
        )
        assert said.stdout.strip() == expected
