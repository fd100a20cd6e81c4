from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.link import link_of
from drivetrain.core.protocols import FitTask
from drivetrain.testing.trainer import SCHEMA, make_rows, make_task
from drivetrain.train.trainers import LightGBM, Sklearn

ENGINES = {"onnx": "onnx", "skops": "sklearn"}
ROWS, _ = make_rows(200, seed=11)
ROWS = np.vstack([ROWS, np.full((1, len(SCHEMA.fields)), math.nan)])

OBJECTIVES = {
    "log-odds": ({"objective": "binary"}, "logistic"),
    "a value": ({"objective": "regression"}, "identity"),
    "a count": ({"objective": "poisson"}, "log"),
    "classes": ({"objective": "multiclass", "num_class": 4}, "softmax"),
    "classes apart": ({"objective": "multiclassova", "num_class": 4}, "logistic"),
}


def labelled(kind: str) -> FitTask:
    task = make_task()
    labels = {
        "value": np.nan_to_num(task.rows[:, 0]) * 3 - 5,
        "count": np.clip(np.nan_to_num(task.rows[:, 1]) // 5, 0, 9),
        "classes": np.nan_to_num(task.rows[:, 3]),
        "late": task.labels,
    }[kind]
    return replace(task, labels=labels, valid_rows=None, valid_labels=None)


def outputs(numbers: np.ndarray) -> list[list[float]]:
    return np.asarray(numbers).reshape(len(numbers), -1).tolist()


def margins(explained: np.ndarray) -> list[list[float]]:
    return outputs(np.asarray(explained).sum(axis=-1))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_trees_explain_themselves_as_their_library_does(name: str, tmp_path: Path) -> None:
    parameters, link = OBJECTIVES[name]
    task = labelled({"a value": "value", "a count": "count"}.get(name, "classes" if "classes" in name else "late"))
    LightGBM(num_iterations=12, **parameters).fit(task).save(tmp_path)
    booster = sys.modules["lightgbm"].Booster(model_file=str(tmp_path / "model.txt"))
    engine = plugins.load("engine", "lightgbm")(tmp_path / "model.txt", SCHEMA)
    explained = engine.explain(ROWS)
    assert np.array_equal(explained.reshape(len(ROWS), -1), booster.predict(ROWS, pred_contrib=True, num_threads=1))
    assert link_of(margins(explained), outputs(engine.predict(ROWS)), 1e-9) == link


def test_trees_with_linear_leaves_are_not_explained(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    LightGBM(num_iterations=3, linear_tree=True).fit(make_task()).save(tmp_path)
    assert plugins.load("engine", "lightgbm")(tmp_path / "model.txt", SCHEMA).explain(ROWS) is None
    assert "Fatal" not in capfd.readouterr().err


LINEAR = {
    "logistic_regression": ("late", {}, "logistic"),
    "ridge": ("value", {}, "identity"),
    "sklearn.linear_model.PoissonRegressor": ("count", {"alpha": 1e-3}, "log"),
    "sklearn.linear_model.Lasso": ("value", {"alpha": 0.1}, "identity"),
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": ("late", {}, "logistic"),
    "several classes": ("classes", {"solver": "lbfgs", "max_iter": 2000, "C": 0.01}, "softmax"),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_pipelines_are_explained_by_coefficient_times_distance_from_the_mean(name: str, tmp_path: Path) -> None:
    """The oracle is the pipeline itself: its prepared columns less their training means, times its coefficients."""
    kind, parameters, link = LINEAR[name]
    task = labelled(kind)
    if kind == "classes":
        several = tuple(str(at) for at in range(int(task.labels.max()) + 1))
        task = replace(task, kind="multiclass", classes=several)
    fitted = Sklearn("logistic_regression" if " " in name else name, **parameters).fit(task)
    prepare, estimate = (fitted._fitted.named_steps[step] for step in ("prepare", "estimate"))
    weights = np.atleast_2d(estimate.coef_)
    means = prepare.transform(task.rows).mean(axis=0)
    columns = (prepare.transform(ROWS) - means)[:, None, :] * weights[None]
    owners = np.array([0, 1, 2, 4, 0, 1, 2, 4, *([3] * 5)])
    expected = np.stack([columns[:, :, owners == at].sum(axis=2) for at in range(5)], axis=2)
    agreeing = 0
    for file, format in fitted.save(tmp_path):
        engine = plugins.load("engine", ENGINES[format])(tmp_path / file, SCHEMA)
        if not np.allclose(engine.predict(ROWS), fitted.predict(ROWS), atol=1e-3, rtol=1e-3):
            continue  # packaging drops a form that answers otherwise, as skl2onnx's of a discriminant analysis does
        agreeing += 1
        explained = np.asarray(engine.explain(ROWS)).reshape(len(ROWS), len(weights), 6)
        assert np.allclose(explained[:, :, :5], expected, atol=1e-9)
        assert np.allclose(explained[:, :, 5], estimate.intercept_ + weights @ means, atol=1e-9)
        assert link_of(margins(explained), outputs(engine.predict(ROWS))) == link
    assert agreeing == (1 if "discriminant" in name else 2)


def test_a_number_counts_by_its_distance_from_the_training_mean(tmp_path: Path) -> None:
    """The closed form, on columns without nulls or categories."""
    task = labelled("value")
    rows = np.nan_to_num(task.rows[:, :2])
    schema = type(SCHEMA)(SCHEMA.fields[:2])
    labels = 3.0 * rows[:, 0] - 2.0 * rows[:, 1] + 7.0
    fitted = Sklearn("sklearn.linear_model.LinearRegression").fit(
        replace(task, rows=rows, labels=labels, schema=schema)
    )
    for file, format in fitted.save(tmp_path):
        explained = plugins.load("engine", ENGINES[format])(tmp_path / file, schema).explain(rows)
        assert np.allclose(explained[:, :2], (rows - rows.mean(axis=0)) * [3.0, -2.0])
        assert np.allclose(explained[:, 2], labels.mean())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("random_forest", {"n_estimators": 5}),
        ("sklearn.naive_bayes.GaussianNB", {}),
        ("sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis", {"reg_param": 0.5}),
    ],
)
def test_what_is_no_sum_of_terms_is_not_explained_as_one(
    name: str, parameters: dict[str, object], tmp_path: Path
) -> None:
    """Coefficients alone do not make a linear answer."""
    fitted = Sklearn(name, **parameters).fit(make_task())
    for file, format in fitted.save(tmp_path):
        assert plugins.load("engine", ENGINES[format])(tmp_path / file, SCHEMA).explain(ROWS) is None
