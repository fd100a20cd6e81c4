from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask, Fitted, Space
from drivetrain.core.records import Run
from drivetrain.store.bundle import Store
from drivetrain.train.predict import predict_run
from drivetrain.train.trainers import LightGBM
from drivetrain.train.tune import Tune
from drivetrain.train.tuning.warm import again, best_settings, warmed
from train.world import train, training_set


@dataclass(frozen=True)
class Moody:
    """LightGBM that does what its ``mood`` is, where the mood is not "well"."""

    moods: tuple[str, ...] = ("well", "raises", "hangs", "memory", "nan")
    name: str = "lightgbm"
    engine: str = "lightgbm"

    def search_space(self) -> Mapping[str, Space]:
        return {"mood": Space(choices=self.moods), "num_leaves": Space(4, 31, integer=True)}

    def fit(self, task: FitTask) -> Fitted:
        asked = dict(task.parameters)
        mood = asked.pop("mood", "well")
        if mood == "raises":
            raise ValueError("this library does not like odd numbers")
        if mood == "memory":
            np.empty((1 << 40, 1 << 10))
        while mood == "hangs":
            time.sleep(0.001)
        fitted = LightGBM(num_iterations=5).fit(replace(task, parameters=asked))
        if mood == "nan":
            fitted.predict = lambda rows: np.full(len(rows), np.nan)  # type: ignore[method-assign]
        return fitted


def test_a_trial_that_crashes_hangs_or_needs_too_much_has_failed_and_the_search_goes_on(store: Store) -> None:
    train(store, trainer=LightGBM(num_iterations=5))  # what importing LightGBM takes is no trial's
    first = [{"mood": mood} for mood in Moody().moods]
    run = train(store, trainer=Moody(), tune=Tune(trials=5, rows=300, trial_seconds=2.0, enqueue=first))
    told = {str(trial.parameters["mood"]): trial for trial in run.trials}
    assert set(told) == {"well", "raises", "hangs", "memory", "nan"}
    assert told["raises"].reason == "ValueError: this library does not like odd numbers"
    assert "it took longer than the 2 s" in told["hangs"].reason
    assert 2 < told["hangs"].seconds < 9
    assert told["memory"].reason.startswith("out of memory: ")
    assert "answers are no numbers" in told["nan"].reason
    assert all((trial.state == "failed") == (trial.parameters["mood"] != "well") for trial in run.trials)
    assert run.status == "done"
    assert run.tuning is not None
    assert run.trials[run.tuning.chosen].parameters["mood"] == "well"
    assert store.catalog.get(Run, run.run_id) == run


def test_where_all_fail_the_reasons_are_told_and_nothing_is_left(store: Store) -> None:
    with pytest.raises(TrainingError, match="none of 6 trials could be fitted") as told:
        train(store, trainer=Moody(moods=("raises", "memory")), tune=Tune(trials=6, rows=300))
    assert "does not like odd numbers (" in str(told.value)
    assert "out of memory" in str(told.value)
    (run,) = store.catalog.find(Run, "late")
    assert run.status == "failed"
    assert "does not like odd numbers" in run.error
    assert not list((store.folder / ".drivetrain" / "tuning").iterdir())


SEVERAL = Tune(trials=7, rows=600, objectives=["roc_auc", "latency", "size"], within=0.05)


def test_several_objectives_come_to_a_front_and_a_choice_that_is_said(store: Store) -> None:
    run = train(store, trainer=LightGBM(num_iterations=40), tune=SEVERAL)
    assert run.tuning is not None
    assert run.tuning.objectives == ("roc_auc", "latency", "size")
    assert {trial.state for trial in run.trials} == {"complete"}
    known = [trial.values for trial in run.trials]
    assert all(0.3 < each["roc_auc"] < 1 and each["latency"] > 0 and each["size"] > 1_000 for each in known)
    assert len({each["size"] for each in known}) > 3
    taken, top = run.trials[run.tuning.chosen], max(trial.value or 0.0 for trial in run.trials)
    near = [run.trials[number] for number in run.tuning.front if (run.trials[number].value or 0) >= 0.95 * top]
    assert taken.values["latency"] == min(trial.values["latency"] for trial in near)
    assert run.tuning.because.startswith("Of 7 trials that finished, ")
    assert run.parameters.items() >= taken.parameters.items()


def test_what_is_enqueued_is_part_of_the_run_and_on_record(store: Store) -> None:
    bare = train(store, trainer=LightGBM(num_iterations=20), tune=Tune(trials=2, rows=600))
    asked = Tune(trials=2, rows=600, enqueue=[{"num_leaves": 12, "lambda_l2": 1e9, "unknown": 3}])
    run = train(store, trainer=LightGBM(num_iterations=20), tune=asked)
    assert run.run_id != bare.run_id
    assert run.trials[0].parameters["num_leaves"] == 12
    assert run.trials[0].enqueued
    assert run.tuning is not None
    assert run.tuning.enqueued == ({"num_leaves": 12},)  # what the space does not have is left out


def test_a_warm_search_begins_with_the_champions_best_and_is_made_again_by_its_record(store: Store) -> None:
    first = train(store, trainer=LightGBM(num_iterations=20), tune=Tune(trials=6, rows=600))
    assert first.tuning is not None
    asked = Tune(trials=4, rows=600, warm=True, seed=9)
    assert warmed(asked, None) == asked
    assert warmed(None, first) is None
    assert warmed(Tune(trials=4), first) == Tune(trials=4)
    tune = warmed(asked, first)
    assert tune is not None
    assert tune.enqueued_from == first.ref
    second = train(store, trainer=LightGBM(num_iterations=20), tune=tune, training_set="table:training/late@4")
    assert second.tuning is not None
    assert second.tuning.enqueued_from == first.ref
    assert second.trials[0].parameters == first.trials[first.tuning.chosen].parameters
    assert second.trials[0].value == first.trials[first.tuning.chosen].value
    assert (second.trials[second.tuning.chosen].value or 0) >= (first.trials[first.tuning.chosen].value or 0)
    assert [trial.enqueued for trial in second.trials] == [True, True, False, False]
    made, said = again(asked, second)
    assert (made, said) == (tune, "")


def test_a_champion_that_tried_nothing_lends_its_own_parameters(store: Store) -> None:
    plain = train(store, trainer=LightGBM(num_iterations=20, num_leaves=9))
    assert best_settings(plain, 3) == (plain.parameters,)


@pytest.mark.parametrize("clocked", [SEVERAL, Tune(trials=3, rows=600, trial_seconds=60.0)])
def test_where_a_clock_had_a_say_the_choice_on_record_is_made_again(store: Store, clocked: Tune) -> None:
    trainer = LightGBM(num_iterations=20)
    run = train(store, trainer=trainer, tune=clocked)
    tune, said = again(clocked, run)
    assert "A clock had a say" in said
    second = train(store, trainer=trainer, tune=tune)
    assert [each.digest for each in second.artifacts] == [each.digest for each in run.artifacts]
    frame = training_set()
    assert np.array_equal(predict_run(store, run, frame), predict_run(store, second, frame))


def test_what_training_spent_is_on_record(store: Store) -> None:
    run: Any = train(store)
    assert run.cpu_seconds > 0
    assert run.cpu_seconds < 4 * run.seconds + 1
    assert run.peak_memory is None or run.peak_memory > 50e6
