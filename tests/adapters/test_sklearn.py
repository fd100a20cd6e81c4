from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from msgspec.structs import replace
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from adapters import estimators
from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.trainer import SCHEMA, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import Sklearn


class TestLogisticRegression(TrainerConformance):
    made = "from drivetrain.train.trainers import Sklearn; trainer = Sklearn('logistic_regression')"
    kinds = ("binary", "multiclass", "multilabel")


class TestRandomForest(TrainerConformance):
    made = "from drivetrain.train.trainers import Sklearn; trainer = Sklearn('random_forest', n_estimators=8)"
    kinds = ("binary", "multiclass", "multilabel", "regression")
    between_threads = 1e-12  # threads add up the trees in whatever order they come to their end


class TestGradientBoosting(TrainerConformance):
    made = "from drivetrain.train.trainers import Sklearn; trainer = Sklearn('gradient_boosting', max_iter=10)"
    kinds = ("binary", "multiclass", "multilabel", "regression")


class TestByPath(TrainerConformance):
    made = """
from drivetrain.train.trainers import Sklearn
trainer = Sklearn("sklearn.naive_bayes.GaussianNB", var_smoothing=1e-6)
"""
    kinds = ("binary", "multiclass", "multilabel")
    mass = 0.12  # it takes columns for independent, and is too sure


class TestPipeline(TrainerConformance):
    """One's own, of a function; it reads nulls and codes as they are."""

    made = """
from adapters.estimators import binned
from drivetrain.train.trainers import Sklearn
trainer = Sklearn(binned)
"""
    kinds = ("binary", "multiclass", "multilabel")


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
        ("sklearn.svm.LinearSVC", {}, "gives no probabilities"),
        ("sklearn.multiclass.OneVsRestClassifier", {}, "Name a function"),
        (estimators.nothing, {}, "nothing returned no scikit-learn estimator; found int"),
        ("logistic_regression", {"depth": 3}, "has no parameter 'depth'"),
        ("logistic_regression", {"C": -1.0}, "can't fit these rows"),
    ],
)
def test_what_it_can_not_fit(name: Any, parameters: dict[str, float], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Sklearn(name, **parameters).fit(make_task())


def test_a_step_of_ones_own_is_refused_when_it_is_saved(tmp_path: Path) -> None:
    fitted = Sklearn(estimators.of_ones_own).fit(make_task())
    with pytest.raises(TrainingError, match="zeros_for_nulls"):
        fitted.save(tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        estimators.machine,
        "sklearn.neural_network.MLPClassifier",
        "sklearn.gaussian_process.GaussianProcessClassifier",
        "sklearn.ensemble.GradientBoostingClassifier",
        "sklearn.neighbors.KNeighborsClassifier",
        "sklearn.linear_model.TweedieRegressor",
        "sklearn.ensemble.BaggingRegressor",
        "sklearn.svm.SVR",
    ],
)
def test_estimators_of_every_kind_are_kept_as_skops(source: Any, tmp_path: Path) -> None:
    regression = str(source).endswith(("Regressor", "SVR"))
    task = make_task(kind="regression" if regression else "multiclass")
    task = replace(task, rows=task.rows[:300], labels=task.labels[:300])
    fitted = Sklearn(source).fit(task)
    assert fitted.save(tmp_path)[-1][1] == "skops"
    engine = plugins.load("engine", "sklearn")(tmp_path / "model.skops", SCHEMA)
    assert np.array_equal(engine.predict(task.rows), fitted.predict(task.rows))


def test_a_class_that_no_training_row_has_is_told_with_no_chance(tmp_path: Path) -> None:
    task = make_task(kind="multiclass")
    some = task.labels != 1
    fitted = Sklearn("logistic_regression").fit(replace(task, rows=task.rows[some], labels=task.labels[some]))
    said = fitted.predict(task.rows)
    assert said.shape == (2_000, 3)
    assert (said[:, 1] == 0).all()
    assert said.sum(axis=1) == pytest.approx(1)
    fitted.save(tmp_path)
    assert np.array_equal(plugins.load("engine", "sklearn")(tmp_path / "model.skops", SCHEMA).predict(task.rows), said)


def test_several_labels_of_ones_own_pipeline(tmp_path: Path) -> None:
    """Each label is told by the last step alone; one that every row has stays certain, and is kept."""
    task = make_task(kind="multilabel")
    task.labels[:, 1] = 1
    fitted = Sklearn(estimators.binned).fit(task)
    said = fitted.predict(task.rows)
    assert said.shape == (2_000, 3)
    assert (said[:, 1] == 1).all()
    assert said[task.labels[:, 0] == 1, 0].mean() > said[task.labels[:, 0] == 0, 0].mean() + 0.3
    fitted.save(tmp_path)
    assert np.array_equal(plugins.load("engine", "sklearn")(tmp_path / "model.skops", SCHEMA).predict(task.rows), said)


def test_parameters_reach_the_steps_of_a_pipeline() -> None:
    trainer = Sklearn(estimators.binned, logisticregression__C=0.01)
    assert "logisticregression__C=0.01" in repr(trainer)
    assert trainer.fit(make_task()).parameters() == {"logisticregression__C": 0.01}
    assert repr(trainer) != repr(Sklearn(estimators.machine))


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


def test_skops_comes_without_pytorch():
    pytest.importorskip("torch")
    asked = (
        "import sys; from drivetrain.adapters.sklearn.skops import skops_io; io = skops_io(); "
        "assert io.dump and 'torch' not in sys.modules; "
        "import sklearn.externals.array_api_compat.torch as found; "
        "assert found.asarray and 'torch' in sys.modules and skops_io() is io"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
