"""A run that chooses its features: the model is the one that would come of these alone, killed or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Run
from drivetrain.store.bundle import Store
from drivetrain.testing.kill import run_killed
from drivetrain.train.baselines import HistoricalRate
from drivetrain.train.impute import impute
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing
from drivetrain.train.select import Select
from drivetrain.train.split.rolling_origin import RollingOrigin
from train.world import FEATURES, Tune, train, training_set

SELECT = Select(rounds=19, rows=800)
NOISE = ("noise.a", "noise.b", "noise.night")
EVERY = (*FEATURES, *NOISE)


def noisy() -> pl.DataFrame:
    """A training set with three features that say nothing; so does ``request.night``."""
    frame = training_set(1_200)
    random = np.random.default_rng(8)
    return frame.with_columns(
        pl.Series("noise.a", random.normal(size=len(frame))),
        pl.Series("noise.b", random.choice(["x", "y", "z"], len(frame))),
        pl.Series("noise.night", random.random(len(frame)) < 0.5),
    )


def chosen(store: Store, **changes: Any) -> Run:
    return train(store, noisy(), **({"features": EVERY, "preparing": Preparing(select=SELECT)} | changes))


def plain(run: Run) -> Run:
    """A run without what a clock says."""
    spent = {"seconds": 0.0, "cpu_seconds": None, "peak_memory": None}
    return replace(run, at=0, trials=(), packaging=None, artifacts=(), making=None, **spent)


def test_the_model_is_the_one_that_would_come_of_these_features_alone(store: Store) -> None:
    fills = (impute("weather.wind"), impute("noise.a"))
    run = chosen(store, preparing=Preparing(impute=fills, select=SELECT), tune=Tune(trials=2, rows=400))
    assert run.selection is not None
    assert run.input_schema is not None
    kept = run.selection.kept
    assert set(kept) == set(FEATURES) - {"request.night"}
    assert run.input_schema.names == kept
    alone = train(
        store, noisy(), features=kept, preparing=Preparing(impute=fills[:1]), tune=Tune(trials=2, rows=400)
    )  # fmt: skip
    assert run.artifacts[0].digest == alone.artifacts[0].digest
    assert run.run_id != alone.run_id
    rows = noisy().head(50)
    assert np.array_equal(predict_run(store, run, rows), predict_run(store, alone, rows))
    assert not list((store.folder / ".drivetrain" / "selection").glob("*"))


def test_a_baseline_reads_what_was_left_out(store: Store) -> None:
    by_night = {"rate by night": HistoricalRate(by=["request.night"])}
    run = chosen(store, baselines=by_night)
    assert run.baseline_schema is not None
    assert run.baseline_schema.names == EVERY
    every = train(store, noisy(), features=EVERY, baselines=by_night)
    rows = noisy().head(50)
    told = [predict_run(store, one, rows, baseline="rate by night") for one in (run, every)]
    assert np.array_equal(*told)
    assert every.selection is None
    assert every.baseline_schema is None


def test_where_nothing_is_kept_the_run_is_recorded_as_failed(store: Store) -> None:
    frame = noisy()
    lots = np.random.default_rng(5).permutation(len(frame))
    luck = frame.with_columns(pl.Series("_label", frame["_label"].to_numpy()[lots]))
    with pytest.raises(TrainingError, match="no feature carries more than chance"):
        train(store, luck, features=EVERY, preparing=Preparing(select=SELECT))
    (run,) = store.catalog.find(Run, "late")
    assert run.status == "failed"
    assert "no feature carries more than chance" in run.error


def test_rows_that_judge_choose_nothing(store: Store) -> None:
    """Whatever they hold, of all their features."""
    frame = noisy()
    judging = pl.int_range(pl.len()) >= int(0.8 * len(frame))
    spoilt = frame.with_columns(
        *(pl.when(judging).then("_label").otherwise(name).cast(pl.Float64).alias(name) for name in ("noise.a",)),
        pl.when(judging).then(0.0).otherwise("plane.delay").alias("plane.delay"),
    )
    quiet = Leakage(allow=("noise.a", "plane.delay"))
    runs = [
        train(store, one, features=EVERY, preparing=Preparing(select=SELECT), leakage=quiet) for one in (frame, spoilt)
    ]
    assert runs[0].selection == runs[1].selection


def test_every_fold_is_judged_by_the_features_that_were_chosen(store: Store) -> None:
    run = chosen(store, split=RollingOrigin(folds=2, test="20d", valid="15d"))
    assert run.selection is not None
    assert sum(name.startswith("valid.roc_auc.2013") for name in run.metrics) == 2


KILLED = """
import sys
from pathlib import Path
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.testing.kill import armed
from train.selection.test_fit import chosen
store = open_store(StoreSettings(online_gib=0.01), Path(sys.argv[1]))
armed()
chosen(store)
"""


@pytest.mark.parametrize("fsyncs", [11])
def test_killed_while_it_chooses_it_carries_on_to_the_same_result(store: Store, fsyncs: int) -> None:
    assert run_killed(KILLED, str(store.folder), fsyncs=fsyncs).killed
    kept = sum(len(path.read_bytes().splitlines()) for path in (store.folder / ".drivetrain").glob("selection/*.jsonl"))
    assert kept == fsyncs, "the round that was being kept is whole, or is made again"
    (left,) = store.catalog.find(Run, "late")
    assert left.status == "running"
    run = chosen(store)
    assert [one.status for one in store.catalog.find(Run, "late")] == ["done"]
    again = chosen(store)
    assert plain(run) == plain(again)
    assert [one.digest for one in run.artifacts] == [one.digest for one in again.artifacts]
