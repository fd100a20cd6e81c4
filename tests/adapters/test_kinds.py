"""Every kind of answers by every trainer that tells it: learned on rows of others, saved, and served as it was."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.metrics import ndcg_score

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Field, InputSchema
from drivetrain.store.blobs import FileBlobs
from drivetrain.testing.trainer import make_task
from drivetrain.train.artifacts import keep, open_engine
from drivetrain.train.baselines import HistoricalRate, Naive
from drivetrain.train.score import judged_score
from drivetrain.train.trainers import LightGBM, Sklearn, XGBoost

NO_XGBOOST = pytest.mark.skipif(importlib.util.find_spec("xgboost") is None, reason="xgboost is not installed")


def task_of(rows, labels, **more) -> FitTask:
    """Every fourth row judges; groups stay whole."""
    by = more.pop("groups", np.arange(len(rows)))
    valid = by % 4 == 3
    schema = InputSchema(tuple(Field(f"f{at}") for at in range(rows.shape[1])))
    groups = {"groups": by[~valid], "valid_groups": by[valid]} if more["kind"] == "ranking" else {}
    return FitTask(
        rows=np.ascontiguousarray(rows[~valid], np.float64), labels=np.asarray(labels[~valid], np.float64),
        valid_rows=np.ascontiguousarray(rows[valid], np.float64), valid_labels=np.asarray(labels[valid], np.float64),
        schema=schema, parameters={}, seed=3, threads=1, **groups, **more,
    )  # fmt: skip


def digits() -> FitTask:
    rows, labels = load_digits(return_X_y=True)
    return task_of(rows, labels, kind="multiclass", classes=tuple("0123456789"), metric="log_loss")


def two_kinds() -> FitTask:
    """Two classes are still an answer of two numbers."""
    rows, labels = load_iris(return_X_y=True)
    return task_of(rows, labels == 2, kind="multiclass", classes=("other", "virginica"), metric="accuracy")


def diabetes() -> FitTask:
    rows, labels = load_diabetes(return_X_y=True)
    return task_of(rows, labels, kind="regression", metric="mae")


def quantiles(levels=(0.1, 0.5, 0.9)) -> FitTask:
    return replace(diabetes(), kind="quantile", levels=levels, metric="pinball")


def tags(labels=3) -> FitTask:
    """Which of some strokes a digit has."""
    rows, digit = load_digits(return_X_y=True)
    strokes = np.stack([np.isin(digit, each) for each in ((0, 6, 8, 9), (1, 4, 7), (2, 3, 5))[:labels]], axis=1)
    return task_of(
        rows, strokes, kind="multilabel", classes=("round", "straight", "bent")[:labels],
        metric="micro_average_precision",
    )  # fmt: skip


def offers() -> FitTask:
    """Five offers a customer: seeded, relevance of 0 to 3 by a score that is not seen whole."""
    chance = np.random.default_rng(5)
    rows = chance.normal(size=(3_000, 6))
    score = rows[:, 0] + 0.6 * rows[:, 1] * rows[:, 2] + chance.normal(0, 0.5, 3_000)
    relevance = np.digitize(score, [0.3, 1.0, 1.8]).astype(float)
    return task_of(rows, relevance, kind="ranking", groups=np.arange(3_000) // 5, metric="ndcg@10")


SMALL = {"min_data_in_leaf": 5, "learning_rate": 0.1}
CASES = {
    "LightGBM, classes": (LightGBM(**SMALL), digits, 0.2),
    "LightGBM, two classes": (LightGBM(**SMALL), two_kinds, 0.9),
    "LightGBM, numbers": (LightGBM(**SMALL), diabetes, 52.0),
    "LightGBM, least distance": (LightGBM(objective="regression_l1", **SMALL), diabetes, 52.0),
    "LightGBM, quantiles": (LightGBM(**SMALL), quantiles, 16.0),
    "LightGBM, two quantiles": (LightGBM(**SMALL), lambda: quantiles((0.1, 0.9)), 13.0),
    "LightGBM, one quantile": (LightGBM(**SMALL), lambda: quantiles((0.9,)), 12.5),
    "LightGBM, labels": (LightGBM(**SMALL), tags, 0.95),
    "LightGBM, two labels": (LightGBM(**SMALL), lambda: tags(2), 0.95),
    "LightGBM, order": (LightGBM(), offers, 0.8),
    "scikit-learn, classes": (Sklearn("logistic_regression"), digits, 0.25),
    "scikit-learn, two classes": (Sklearn("random_forest", n_estimators=20, min_samples_leaf=2), two_kinds, 0.9),
    "scikit-learn, trees of classes": (Sklearn("gradient_boosting", max_iter=10), two_kinds, 0.9),
    "scikit-learn, numbers": (Sklearn("ridge"), diabetes, 52.0),
    "scikit-learn, trees of numbers": (Sklearn("random_forest", n_estimators=20), diabetes, 52.0),
    "scikit-learn, labels": (Sklearn("logistic_regression"), tags, 0.9),
    "scikit-learn, two labels": (Sklearn("logistic_regression"), lambda: tags(2), 0.9),
}
XGBOOST = {
    "XGBoost, classes": (XGBoost(min_child_weight=1, eta=0.2), digits, 0.2),
    "XGBoost, two classes": (XGBoost(min_child_weight=1), two_kinds, 0.9),
    "XGBoost, numbers": (XGBoost(), diabetes, 52.0),
    "XGBoost, quantiles": (XGBoost(), quantiles, 16.0),
    "XGBoost, one quantile": (XGBoost(), lambda: quantiles((0.9,)), 12.5),
    "XGBoost, two labels": (XGBoost(), lambda: tags(2), 0.95),
    "XGBoost, order": (XGBoost(), offers, 0.8),
}


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(name, marks=NO_XGBOOST) for name in XGBOOST)])
def test_learns_and_is_served_as_it_answers(case, tmp_path):
    trainer, made, bound = {**CASES, **XGBOOST}[case]
    task = made()
    fitted = trainer.fit(task)
    said = np.asarray(fitted.predict(task.valid_rows))
    outputs = max(len(task.classes), len(task.levels), 1)
    assert said.shape == ((len(task.valid_rows), outputs) if outputs > 1 else (len(task.valid_rows),))
    found = judged_score(task.metric, task, said)
    better = task.metric in {"accuracy", "micro_average_precision", "ndcg@10"}
    assert found > bound if better else found < bound
    nothing = judged_score(task.metric, task, np.asarray(Naive().fit(task).predict(task.valid_rows)))
    assert found > nothing if better else found < nothing
    blobs = FileBlobs(tmp_path)
    artifacts, packaging = keep(blobs, fitted, task.schema, task.rows[:200])
    # A forest's graph of 32 bits decides rows at its thresholds otherwise: it is not kept, for no other reason.
    assert all(each.agrees or each.reason.startswith("It differs by") for each in packaging.candidates), packaging
    for artifact in artifacts:
        engine = open_engine(blobs, (artifact,), task.schema)
        assert np.asarray(engine.predict(task.valid_rows)) == pytest.approx(said, abs=1e-4 * max(1, np.abs(said).max()))
        alone = engine.predict_row(task.valid_rows[0].tolist())
        assert isinstance(alone, list) == (outputs > 1)


@pytest.mark.parametrize("case", ["LightGBM, quantiles", "LightGBM, classes", "LightGBM, labels"])
def test_what_was_used_makes_it_again(case):
    trainer, made, _ = CASES[case]
    task = made()
    fitted = trainer.fit(task)
    again = trainer.fit(replace(task, parameters=fitted.parameters()))
    assert np.array_equal(again.predict(task.valid_rows), fitted.predict(task.valid_rows))
    assert sum(fitted.importance().values()) == pytest.approx(1)


def test_an_order_is_as_good_as_scikit_learn_says():
    task = offers()
    said = LightGBM().fit(task).predict(task.valid_rows)
    groups = task.valid_groups
    theirs = [
        ndcg_score([2.0 ** task.valid_labels[groups == one] - 1], [said[groups == one]], k=10, ignore_ties=True)
        for one in np.unique(groups[task.valid_labels > 0])
    ]
    assert judged_score("ndcg@10", task, said) == pytest.approx(np.mean(theirs))


@pytest.mark.parametrize(
    ("trainer", "made", "words"),
    [
        (LightGBM(objective="binary"), digits, "'binary' does not suit a label that is one of several classes"),
        (LightGBM(objective="multiclass"), diabetes, "'multiclass' does not suit a label that is a number"),
        (Sklearn("logistic_regression"), diabetes, "does not tell a number; expected a regressor, such as"),
        (Sklearn("ridge"), digits, "ridge does not tell one of several classes; expected a classifier"),
        (Sklearn("ridge"), quantiles, "do not tell quantiles of a number"),
        (Sklearn("ridge"), offers, "do not tell an order within groups"),
        (HistoricalRate(), quantiles, "a mean is no quantile"),
        pytest.param(XGBoost(objective="reg:squarederror"), digits, "does not suit", marks=NO_XGBOOST),
    ],
)
def test_what_gives_other_answers_is_refused(trainer, made, words):
    with pytest.raises(TrainingError, match=words):
        trainer.fit(made())


def test_trials_are_told_what_rises_when_it_gets_better():
    for task, names in ((digits(), ("accuracy", "log_loss")), (diabetes(), ("mae", "r2"))):
        for metric in names:
            told: list[float] = []
            asked = replace(task, metric=metric, report=lambda _, value, told=told: told.append(value))
            LightGBM(num_iterations=15, **SMALL).fit(asked)
            assert (told[-1] > told[0]) == (metric in {"accuracy", "r2"}), metric


def test_linear_leaves_of_several_outputs_are_refused_when_kept(tmp_path):
    fitted = LightGBM(linear_tree=True, num_iterations=3).fit(quantiles())
    with pytest.raises(TrainingError, match="served as plain trees only"):
        fitted.save(tmp_path)


def test_a_yes_or_no_is_fitted_as_before():
    task = make_task()
    assert LightGBM(num_iterations=3).fit(task).parameters()["objective"] == "binary"
    assert plugins.load("trainer", "lightgbm")(num_iterations=3).fit(task).predict(task.rows).shape == (2_000,)


def test_a_metric_that_does_not_suit_is_not_reported_by():
    told: list[float] = []
    task = replace(two_kinds(), metric="average_precision", report=lambda _, value: told.append(value))
    LightGBM(num_iterations=3).fit(task)
    assert len(told) == 3, "its own loss is"


@pytest.mark.parametrize("kind", ["quantile", "multilabel"])
def test_several_outputs_go_on_with_what_was_not_whole(kind, tmp_path, monkeypatch):
    """Killed in the midst of the second of three: the first is not boosted again."""
    trainer, task = LightGBM(num_iterations=12, min_data_in_leaf=5), make_task(kind=kind)
    expected = trainer.fit(task).predict(task.rows)
    left = replace(task, checkpoints=tmp_path, checkpoint_seconds=0.0)
    checkpoint = plugins.load("checkpoint", "numpy")
    kept, saved = checkpoint.save, []

    def save_and_die(self, parts):
        kept(self, parts)
        saved.append(self.path)
        if len(saved) == 17:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(left)
    assert len(list(tmp_path.iterdir())) == 2
    assert np.array_equal(trainer.fit(left).predict(task.rows), expected)
    assert len(saved) == 3 * 12
