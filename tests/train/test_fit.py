from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.errors import CorruptBlob, DrivetrainError, StoreError, TrainingError, UnknownName
from drivetrain.core.records import ModelVersion, Run
from drivetrain.core.records.gate import GateReport
from drivetrain.registry.load import predict_version
from drivetrain.store.bundle import Store
from drivetrain.testing.kill import run_killed
from drivetrain.train.baselines import HistoricalRate
from drivetrain.train.environment import environment_digest, packages
from drivetrain.train.fit import importance
from drivetrain.train.predict import predict_run
from drivetrain.train.score import roc_auc
from drivetrain.train.trainers import LightGBM, Sklearn
from drivetrain.train.tune import Tune
from train.world import AS_OF, FEATURES, SPLIT, train, training_set

TUNE = Tune(trials=8, rows=600)


def test_a_run_says_how_the_model_was_made(store: Store) -> None:
    run = train(store)
    assert store.catalog.get(Run, run.run_id) == run
    assert run.status == "done"
    assert run.trainer == "lightgbm"
    assert run.inputs == {"training_set": "table:training/late@3"}
    assert run.parameters["num_iterations"] == 20
    assert run.packages == packages()
    assert run.environment == environment_digest()
    assert run.train_until == AS_OF - 20 * 86_400_000_000
    assert 0.6 < run.metrics["valid.roc_auc"] < 1
    assert run.input_schema is not None
    assert run.input_schema.names == FEATURES
    assert [artifact.format for artifact in run.artifacts] == ["lightgbm", "onnx"]
    assert run.packaging is not None
    assert run.packaging.chosen is not None
    assert run.packaging.chosen.engine == "lightgbm"
    assert run.seconds > 0
    (link,) = store.catalog.links(target=run.ref)
    assert (link.source, link.role) == ("table:training/late@3", "training_set")


def test_learns_from_every_row_known_and_never_from_the_test_window(store: Store) -> None:
    frame = training_set()
    split = SPLIT.cut(frame, AS_OF)
    run = train(store, frame)
    assert run.train_rows == split.refit.sum()
    spoilt = frame.with_columns(pl.when(split.test).then(1 - pl.col("_label")).otherwise("_label").alias("_label"))
    assert train(store, spoilt).artifacts == run.artifacts


def test_predicts_the_test_window_better_than_its_baseline(store: Store) -> None:
    frame = training_set()
    run = train(store, frame)
    test = frame.filter(SPLIT.cut(frame, AS_OF).test)
    labels = test["_label"].to_numpy()
    ours = roc_auc(labels, predict_run(store, run, test))
    theirs = roc_auc(labels, predict_run(store, run, test, baseline="rate by carrier"))
    assert ours > theirs + 0.03 > 0.53


def test_an_older_version_predicts_the_same_rows(store: Store) -> None:
    frame = training_set()
    run = train(store, frame)
    assert run.input_schema is not None
    version = ModelVersion(
        model="late", version=1, run_id=run.run_id, artifacts=run.artifacts, engine="lightgbm",
        input_schema=run.input_schema, features={}, training_set="", gates=GateReport((), 0),
    )  # fmt: skip
    assert np.array_equal(predict_version(store, version, frame), predict_run(store, run, frame))


def test_the_same_again_is_the_same_run(store: Store) -> None:
    first, second = train(store), train(store)
    assert plain(first) == plain(second)
    assert len(store.catalog.find(Run, "late")) == 1
    assert train(store, seed=2).run_id != first.run_id


def test_tuning_is_recorded_and_used(store: Store) -> None:
    run = train(store, trainer=LightGBM(), tune=TUNE)
    assert len(run.trials) == 8
    done = [trial for trial in run.trials if trial.value is not None]
    best = max(done, key=lambda trial: trial.value or 0)
    assert run.parameters.items() >= best.parameters.items()
    assert not list((store.folder / ".drivetrain" / "tuning").iterdir())


def test_a_loss_is_tuned_downward(store: Store) -> None:
    run = train(store, trainer=LightGBM(), tune=replace_tune(metric="log_loss"))
    done = [trial for trial in run.trials if trial.value is not None]
    assert all(0 < (trial.value or 0) < 1 for trial in done)
    best = min(done, key=lambda trial: trial.value or 0)
    assert run.parameters.items() >= best.parameters.items()


def replace_tune(**changes: Any) -> Tune:
    return Tune(**({"trials": 8, "rows": 600} | changes))


def test_a_trainer_with_nothing_to_tune(store: Store) -> None:
    run = train(store, trainer=HistoricalRate(by=["request.carrier"]), tune=TUNE, baselines={})
    assert run.trials == ()
    assert [artifact.format for artifact in run.artifacts] == ["json", "background"]


def test_scikit_learn_is_served_as_onnx(store: Store) -> None:
    frame = training_set()
    run = train(store, frame, trainer=Sklearn("logistic_regression"), baselines={})
    assert [artifact.format for artifact in run.artifacts] == ["onnx", "skops"]
    assert roc_auc(frame["_label"].to_numpy(), predict_run(store, run, frame)) > 0.7


def test_importance_is_kept(store: Store) -> None:
    shares = importance(train(store))
    assert set(shares) == set(FEATURES)
    assert shares["plane.delay"] > shares["request.night"]


def test_rows_without_a_label_teach_nothing(store: Store) -> None:
    frame = training_set()
    holes = frame.with_columns(pl.when(pl.int_range(pl.len()) % 10 > 0).then("_label").alias("_label"))
    assert train(store, holes).train_rows == SPLIT.cut(frame.filter(holes["_label"].is_not_null()), AS_OF).refit.sum()


def spoil(frame: pl.DataFrame, column: str, value: object) -> pl.DataFrame:
    return frame.with_columns(pl.lit(value).cast(frame.schema[column]).alias(column))


BAD: dict[str, tuple[pl.DataFrame, str]] = {
    "no rows": (training_set().clear(), "has no rows"),
    "constant label": (spoil(training_set(), "_label", 0.0), "every label of the train part is the same"),
    "no label at all": (spoil(training_set(), "_label", None), "no row falls into the train part"),
    "label not finite": (spoil(training_set(), "_label", math.nan), "labels are not finite"),
    "null feature": (spoil(training_set(), "weather.wind", None), r"weather\.wind is null in all"),
    "infinite feature": (
        training_set().with_columns(
            pl.when(pl.int_range(pl.len()) == 7).then(math.inf).otherwise("weather.wind").alias("weather.wind")
        ),
        r"weather\.wind is infinite in 1 rows; found inf for 'flight-7'",
    ),
    "missing feature": (training_set().drop("weather.wind"), "expected weather.wind"),
    "all in the test window": (training_set().tail(300), "no row falls into the train part"),
    "nothing in the test window": (training_set().head(1_000), "no row falls into the test part"),
    "a feature of times": (
        training_set().with_columns(pl.col("_at").alias("weather.wind")),
        r"can't read feature 'weather\.wind'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_can_not_be_trained_on_is_said_and_recorded(store: Store, case: str) -> None:
    frame, message = BAD[case]
    with pytest.raises(DrivetrainError, match=message):
        train(store, frame)
    (run,) = store.catalog.find(Run, "late")
    assert run.status == "failed"
    with pytest.raises(TrainingError, match=f"{run.run_id} of late is failed"):
        predict_run(store, run, frame)


def test_tuning_needs_validation_rows(store: Store) -> None:
    frame = training_set().filter(~SPLIT.cut(training_set(), AS_OF).valid)
    with pytest.raises(TrainingError, match="valid part"):
        train(store, frame, tune=TUNE)


def test_without_a_validation_window(store: Store) -> None:
    run = train(store, split=type(SPLIT)(test="20d", valid=None), trainer=LightGBM())
    assert run.status == "done"
    assert not [name for name in run.metrics if name.startswith("valid.")]


def test_when_every_trial_fails(store: Store) -> None:
    with pytest.raises(TrainingError, match="none of 8 trials"):
        train(store, trainer=LightGBM(boosting="nonsense"), tune=TUNE)


def test_predicting_what_is_not_there(store: Store) -> None:
    run = train(store)
    with pytest.raises(UnknownName, match="expected rate by carrier"):
        predict_run(store, run, training_set(), baseline="luck")
    with pytest.raises(TrainingError, match=r"expected weather\.wind"):
        predict_run(store, run, training_set().drop("weather.wind"))
    with pytest.raises(StoreError, match="no artifact"):
        predict_run(store, replace(run, artifacts=()), training_set())


def test_a_corrupt_artifact_is_named(store: Store) -> None:
    run = train(store)
    path = store.blobs.path(run.artifacts[0].digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-5] + b"12345")
    with pytest.raises(CorruptBlob, match=run.artifacts[0].digest):
        predict_run(store, run, training_set())


KILLED = """
import sys
from pathlib import Path
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.testing.kill import armed
from drivetrain.train.trainers import LightGBM
from drivetrain.train.tune import Tune
from train.world import train
store = open_store(StoreSettings(online_gib=0.01), Path(sys.argv[1]))
armed()
train(store, trainer=LightGBM(), tune=Tune(trials=8, rows=600))
"""


@pytest.mark.parametrize("at", [{"fsyncs": 1}, {"fsyncs": 4}, {"fsyncs": 8}, {"fsyncs": 10}, {"seconds": 1.5}])
def test_killed_at_any_instant_it_carries_on_to_the_same_result(
    store: Store, tmp_path_factory: pytest.TempPathFactory, at: dict[str, Any]
) -> None:
    run_killed(KILLED, str(store.folder), **at)
    made = sum(len(path.read_bytes().splitlines()) for path in (store.folder / ".drivetrain").glob("tuning/*.jsonl"))
    if "fsyncs" in at:
        assert made == min(at["fsyncs"], 8)
        (left,) = store.catalog.find(Run, "late")
        assert left.status == "running"
    run = train(store, trainer=LightGBM(), tune=TUNE)
    assert [stored.status for stored in store.catalog.find(Run, "late")] == ["done"]
    assert plain(run) == plain(train(store, trainer=LightGBM(), tune=TUNE))


LONG = """
import os, signal, sys
from pathlib import Path
from drivetrain.adapters.numpy import checkpoint
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.train.trainers import LightGBM
from train.world import train
kept = checkpoint.save
def save_and_die(self, parts):
    kept(self, parts)
    os.kill(os.getpid(), signal.SIGKILL)
checkpoint.save = save_and_die
checkpoint.due = property(lambda self: self.path is not None)
train(open_store(StoreSettings(online_gib=0.01), Path(sys.argv[1])), trainer=LightGBM())
"""


def test_a_fit_that_was_killed_goes_on_and_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_killed(LONG, str(store.folder)).killed
    (left,) = store.catalog.find(Run, "late")
    folder = store.folder / ".drivetrain" / "checkpoints" / left.run_id
    assert len(list(folder.iterdir())) == 1
    loaded: list[bool] = []
    kind = plugins.load("checkpoint", "numpy")
    load = kind.load
    monkeypatch.setattr(kind, "load", lambda self: (loaded.append(load(self) is not None), load(self))[1])
    run = train(store, trainer=LightGBM())
    assert loaded == [True, False]  # the judged fit goes on, the last begins
    assert not folder.exists()
    assert plain(run) == plain(train(store, trainer=LightGBM()))


def plain(run: Run) -> Run:
    """A run without what a clock says."""
    assert run.packaging is not None
    still = tuple(replace(each, row_us=0, batch_us=0, reason="") for each in run.packaging.candidates)
    trials = tuple(replace(trial, seconds=0) for trial in run.trials)
    return replace(
        run,
        at=0,
        seconds=0,
        cpu_seconds=None,
        peak_memory=None,
        trials=trials,
        packaging=replace(run.packaging, candidates=still),
    )


def test_importing_the_floor_loads_no_heavy_library() -> None:
    code = (
        "import sys, drivetrain.train.fit, drivetrain.train.predict, drivetrain.train.baselines, "
        "drivetrain.train.trainers, drivetrain.registry.load, drivetrain.registry.aliases, "
        "drivetrain.registry.register, drivetrain.registry.lineage; "
        "print([m for m in ('lightgbm','sklearn','optuna','onnxruntime','onnx','skops','pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


def test_artifacts_are_proved_before_they_are_kept(store: Store, tmp_path: Path) -> None:
    class Liar:
        name = engine = "rate"

        def search_space(self) -> dict[str, Any]:
            return {}

        def fit(self, task: Any) -> Any:
            honest = HistoricalRate(by=["request.carrier"]).fit(task)

            class Fitted:
                save, parameters, importance = honest.save, honest.parameters, honest.importance

                def predict(self, rows: np.ndarray) -> np.ndarray:
                    return honest.predict(rows) + 0.01

            return Fitted()

        def __repr__(self) -> str:
            return "Liar()"

    with pytest.raises(TrainingError, match="does not answer as the model"):
        train(store, trainer=Liar(), baselines={})
