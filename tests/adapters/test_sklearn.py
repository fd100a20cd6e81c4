from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import skops.io
from msgspec.structs import replace
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.protocols import Trainer
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.trainer import SCHEMA, OpenSaved, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import Sklearn


@pytest.fixture
def open_saved() -> OpenSaved:
    engines = {"skops": "sklearn", "onnx": "onnx"}
    return lambda path, format, schema: plugins.load("engine", engines[format])(path, schema)


class TestLogisticRegression(TrainerConformance):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return Sklearn("logistic_regression")

    @pytest.fixture
    def open_saved(self, open_saved: OpenSaved) -> OpenSaved:
        return open_saved


class TestRandomForest(TrainerConformance):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return Sklearn("random_forest", n_estimators=8)

    @pytest.fixture
    def open_saved(self, open_saved: OpenSaved) -> OpenSaved:
        return open_saved


class TestGradientBoosting(TrainerConformance):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return Sklearn("gradient_boosting", max_iter=10)

    @pytest.fixture
    def open_saved(self, open_saved: OpenSaved) -> OpenSaved:
        return open_saved


class TestByPath(TrainerConformance):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return Sklearn("sklearn.naive_bayes.GaussianNB", var_smoothing=1e-6)

    @pytest.fixture
    def open_saved(self, open_saved: OpenSaved) -> OpenSaved:
        return open_saved


class TestOnnxEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = Sklearn("logistic_regression").fit(make_task())
        assert fitted.save(tmp_path)[0] == ("model.onnx", "onnx")
        rows, _ = make_rows(300, seed=11)
        load = plugins.load("engine", "onnx")
        return EngineCase(load, tmp_path / "model.onnx", SCHEMA, rows, fitted.predict(rows), tolerance=1e-5)


class TestNativeEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = Sklearn("logistic_regression").fit(make_task())
        fitted.save(tmp_path)
        rows, _ = make_rows(50, seed=11)
        load = plugins.load("engine", "sklearn")
        return EngineCase(load, tmp_path / "model.skops", SCHEMA, rows, fitted.predict(rows), tolerance=1e-12)


def test_what_onnx_can_not_hold_is_served_natively(tmp_path: Path) -> None:
    fitted = Sklearn("sklearn.neighbors.KNeighborsClassifier", n_neighbors=7).fit(make_task())
    formats = [format for _, format in fitted.save(tmp_path)]
    assert formats[-1] == "skops"


def test_rows_without_nulls_or_categories(tmp_path: Path) -> None:
    task = make_task()
    rows = np.nan_to_num(task.rows[:, :2])
    schema = type(SCHEMA)(SCHEMA.fields[:2])
    fitted = Sklearn("logistic_regression").fit(replace(task, rows=rows, schema=schema))
    assert fitted.save(tmp_path)[0][1] == "onnx"
    engine = plugins.load("engine", "onnx")(tmp_path / "model.onnx", schema)
    assert np.max(np.abs(engine.predict(rows) - fitted.predict(rows))) < 1e-5


def test_regression(tmp_path: Path) -> None:
    task = make_task()
    fitted = Sklearn("ridge").fit(replace(task, labels=np.nan_to_num(task.rows[:, 0])))
    assert fitted.save(tmp_path)[-1][1] == "skops"
    assert np.corrcoef(fitted.predict(task.rows), np.nan_to_num(task.rows[:, 0]))[0, 1] > 0.9


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("logistic", {}, "logistic_regression"),
        ("sklearn.linear_model.Nothing", {}, "no scikit-learn estimator"),
        ("json.JSONDecoder", {}, "is no scikit-learn estimator"),
        ("logistic_regression", {"depth": 3}, "has no parameter 'depth'"),
        ("logistic_regression", {"C": -1.0}, "can't fit these rows"),
    ],
)
def test_what_it_can_not_fit(name: str, parameters: dict[str, float], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Sklearn(name, **parameters).fit(make_task())


def test_a_pickle_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(StoreError, match=r"model\.skops is a pickle"):
        plugins.load("engine", "sklearn")(path, SCHEMA)


def test_a_type_nobody_trusts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump(Pipeline([("run", FunctionTransformer(subprocess_like))]), path)
    with pytest.raises(StoreError, match="not trusted"):
        plugins.load("engine", "sklearn")(path, SCHEMA)


def subprocess_like(rows: np.ndarray) -> np.ndarray:
    raise AssertionError("must never run")


def test_a_warning_of_the_library_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    Sklearn("logistic_regression", solver="lbfgs", max_iter=1).fit(make_task())
    assert "converge" in caplog.text
