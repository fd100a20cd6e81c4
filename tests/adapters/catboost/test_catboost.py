from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.records import Field, InputSchema
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import SCHEMA, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import CatBoost

need_extra("pandas", "catboost", heavy=True)
catboost: Any = need_extra("catboost", heavy=True)


class TestTrainer(TrainerConformance):
    made = "from drivetrain.train.trainers import CatBoost; trainer = CatBoost(iterations=40, learning_rate=0.2)"
    tolerance = 0.0
    dies_at = 17


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = CatBoost(iterations=30).fit(make_task())
        assert fitted.save(tmp_path) == [("model.cbm", "catboost")]
        rows, _ = make_rows(200, seed=11)
        load = plugins.load("engine", "catboost")
        return EngineCase(load, tmp_path / "model.cbm", SCHEMA, rows, np.asarray(fitted.predict(rows)), tolerance=1e-12)


def test_answers_as_catboost_s_own_classifier() -> None:
    task = make_task()
    columns = [
        [*row[:3].tolist(), *row[4:].tolist(), "" if np.isnan(row[3]) else str(int(row[3]))] for row in task.rows
    ]
    own = catboost.CatBoostClassifier(
        iterations=30, learning_rate=0.05, depth=6, l2_leaf_reg=3.0, random_seed=7, thread_count=1, verbose=False,
        allow_writing_files=False,
    ).fit(catboost.Pool(columns, task.labels, cat_features=[4]))  # fmt: skip
    ours = CatBoost(iterations=30).fit(replace(task, valid_rows=None, valid_labels=None)).predict(task.rows)
    assert np.max(np.abs(own.predict_proba(columns)[:, 1] - ours)) < 1e-9


def test_it_stops_early_and_says_where() -> None:
    rounds = CatBoost(learning_rate=0.2).fit(make_task()).parameters()["iterations"]
    assert isinstance(rounds, int)
    assert 1 < rounds < 500


def test_a_loss_of_ones_own_answers_in_its_own_way() -> None:
    task = make_task()
    counts = np.floor(np.nan_to_num(task.rows[:, 1], nan=10.0))
    said = CatBoost(loss_function="Poisson", iterations=60, learning_rate=0.2).fit(
        replace(task, labels=counts, valid_rows=None, valid_labels=None)
    )
    assert np.mean(np.asarray(said.predict(task.rows))) == pytest.approx(counts.mean(), rel=0.1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"thread_count": 2}, "set by the fit itself"), ({"nonsense": 1}, "nonsense"), ({"depth": 40}, "depth")],
)
def test_a_parameter_it_can_not_take(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        CatBoost(iterations=1, **parameters).fit(make_task())


def test_rows_without_categories_and_without_numbers(tmp_path: Path) -> None:
    task = make_task()
    for columns in ([0, 1], [3]):
        schema = InputSchema(tuple(SCHEMA.fields[at] for at in columns))
        rows = np.ascontiguousarray(task.rows[:, columns])
        fitted = CatBoost(iterations=5).fit(replace(task, rows=rows, schema=schema, valid_rows=None, valid_labels=None))
        fitted.save(tmp_path)
        engine = plugins.load("engine", "catboost")(tmp_path / "model.cbm", schema)
        assert np.array_equal(engine.predict(rows), fitted.predict(rows))
    with pytest.raises(StoreError, match="reads other columns"):
        plugins.load("engine", "catboost")(tmp_path / "model.cbm", InputSchema((Field("carrier"),)))
