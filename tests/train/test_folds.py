"""Several folds: figures of each in the run, and the final model as it would have been without."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask
from drivetrain.store.bundle import Store
from drivetrain.train.rows import TrainingRows
from drivetrain.train.score import SUITED, roc_auc
from drivetrain.train.split.group_split import GroupSplit
from drivetrain.train.split.holdout import Holdout
from drivetrain.train.split.purged import PurgedSplit
from drivetrain.train.split.rolling_origin import RollingOrigin
from drivetrain.train.split.stratified import StratifiedSplit
from drivetrain.train.trainers import LightGBM
from drivetrain.train.tune import Tune
from train.world import AS_OF, FEATURES, SPLIT, train, training_set

ROLLING = RollingOrigin(folds=3, test="20d", valid="20d")


def test_figures_of_each_fold_of_all_together_and_their_spread(store: Store) -> None:
    run = train(store, split=ROLLING)
    names = ["2013-02-10", "2013-03-02"]
    folds = [name.removeprefix("valid.roc_auc.") for name in run.metrics if name.startswith("valid.roc_auc.")]
    assert folds == ["2013-01-21", *names, "spread"]
    each = [run.metrics[f"valid.roc_auc.{name}"] for name in folds[:-1]]
    assert all(0.6 < value < 1 for value in each)
    assert run.metrics["valid.roc_auc.spread"] == pytest.approx(np.std(each, ddof=1))
    assert {f"valid.{name}" for name in SUITED["binary"]} <= set(run.metrics)


def test_a_fold_is_judged_by_what_came_before_it_alone(store: Store) -> None:
    """Fitted by hand on the rows of each fold; and figures of all their rows together."""
    run = train(store, split=ROLLING)
    rows = TrainingRows.cut(training_set(), FEATURES, ROLLING, AS_OF, needs_valid=False)
    labels, said = [], []
    for fold in rows.split.folds:
        teach, judge = (part.filter(rows.split.refit).to_numpy() for part in (fold.train, fold.valid))
        task = FitTask(
            rows=rows.rows[teach], labels=rows.labels[teach], schema=rows.schema, parameters=run.parameters,
            seed=1, threads=1,
        )  # fmt: skip
        labels.append(rows.labels[judge])
        said.append(np.asarray(LightGBM(num_iterations=20).fit(task).predict(rows.rows[judge])))
        assert run.metrics[f"valid.roc_auc.{fold.name}"] == pytest.approx(roc_auc(labels[-1], said[-1]))
    assert run.metrics["valid.roc_auc"] == pytest.approx(roc_auc(np.concatenate(labels), np.concatenate(said)))


def test_the_final_model_is_the_same(store: Store) -> None:
    assert train(store, split=ROLLING).artifacts == train(store, split=SPLIT).artifacts


def test_tuning_goes_by_the_last_fold(store: Store) -> None:
    tune = Tune(trials=3, rows=400)
    several, one = (train(store, split=split, tune=tune, trainer=LightGBM()) for split in (ROLLING, SPLIT))
    assert [trial.value for trial in several.trials] == [trial.value for trial in one.trials]
    assert several.parameters == one.parameters


@pytest.mark.parametrize(
    "split",
    [
        PurgedSplit(folds=3, test="20d", embargo="1d"),
        GroupSplit("request.carrier", test=0.3, valid=None, seed=1),
        StratifiedSplit(test=0.2, valid=0.2),
        Holdout(test=0.2, valid=0.2),
    ],
    ids=lambda split: type(split).__name__,
)
def test_every_split_is_fitted_by(store: Store, split: PurgedSplit) -> None:
    frame = training_set()
    run = train(store, frame, split=split, baselines={})
    cut = split.cut(frame, AS_OF)
    assert run.train_rows == cut.refit.sum()
    assert run.train_until == (AS_OF - 20 * 86_400_000_000 if cut.timed else AS_OF)
    assert len([name for name in run.metrics if name.startswith("valid.roc_auc.")]) == (4 if cut.folds else 0)


def test_an_empty_fold_is_named(store: Store) -> None:
    frame = training_set().filter(pl.col("_at").dt.month() > 2)
    with pytest.raises(TrainingError, match=r"no row falls into the train part of fold 2013-01-21"):
        train(store, frame, split=ROLLING)
