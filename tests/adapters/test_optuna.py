from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.progress import Silent
from drivetrain.core.protocols import Space
from drivetrain.core.records.run import Scalar, Trial

SPACE = {
    "x": Space(-2.0, 2.0),
    "leaves": Space(2, 64, integer=True, log=True),
    "kind": Space(choices=("a", "b")),
}

Report = Callable[[int, float], None]


def bowl(parameters: Mapping[str, Scalar], report: Report) -> float:
    x, leaves = float(parameters["x"]), float(parameters["leaves"])
    value = -((x - 0.5) ** 2) - abs(leaves - 16) / 50 - (parameters["kind"] == "b")
    for iteration in range(40):
        report(iteration, value - 1 / (iteration + 1))
    return value


def tune(
    objective: Callable[..., float] = bowl, *, trials: int = 25, storage: Path | None = None, **rest
) -> list[Trial]:
    settings = {"seed": 1, "seconds": None, "progress": Silent(), **rest}
    return plugins.load("tuner", "optuna").tune(objective, SPACE, trials=trials, storage=storage, **settings)


def meaning(trials: list[Trial]) -> list[tuple[object, ...]]:
    return [(trial.number, trial.parameters, trial.value, trial.state) for trial in trials]


def test_finds_a_better_place_than_chance() -> None:
    trials = tune()
    assert [trial.number for trial in trials] == list(range(25))
    first, last = (max(t.value for t in part if t.value is not None) for part in (trials[:5], trials))
    assert last > first
    assert last > -0.4


def test_values_stay_in_their_space() -> None:
    for trial in tune():
        assert -2 <= trial.parameters["x"] <= 2
        assert isinstance(trial.parameters["leaves"], int)
        assert trial.parameters["kind"] in {"a", "b"}


def test_the_same_seed_makes_the_same_trials() -> None:
    assert meaning(tune()) == meaning(tune())
    assert meaning(tune()) != meaning(tune(seed=2))


def test_prunes_what_lags() -> None:
    states = {trial.state for trial in tune()}
    assert states == {"complete", "pruned"}
    assert all(trial.value is None for trial in tune() if trial.state == "pruned")


def test_a_trial_that_fails_is_one_that_failed() -> None:
    def sometimes(parameters: Mapping[str, Scalar], report: Report) -> float:
        if parameters["kind"] == "b":
            raise TrainingError("no")
        return bowl(parameters, report)

    trials = tune(sometimes)
    assert {trial.state for trial in trials} >= {"complete", "failed"}
    assert all((trial.state == "failed") == (trial.parameters["kind"] == "b") for trial in trials)


def test_an_error_nobody_foresaw_ends_the_search_and_keeps_what_was_found(tmp_path: Path) -> None:
    calls = []

    def breaks(parameters: Mapping[str, Scalar], report: Report) -> float:
        calls.append(parameters)
        if len(calls) == 4:
            raise ZeroDivisionError
        return bowl(parameters, report)

    storage = tmp_path / "trials.jsonl"
    with pytest.raises(ZeroDivisionError):
        tune(breaks, storage=storage)
    assert meaning(tune(storage=storage)) == meaning(tune())


@pytest.mark.parametrize("stop", [1, 6, 7, 13])
def test_carries_on_from_any_trial_to_the_same_result(tmp_path: Path, stop: int) -> None:
    storage = tmp_path / "deep" / "trials.jsonl"
    tune(trials=stop, storage=storage)
    asked = []

    def counted(parameters: Mapping[str, Scalar], report: Report) -> float:
        asked.append(parameters)
        return bowl(parameters, report)

    assert meaning(tune(counted, storage=storage)) == meaning(tune())
    assert len(asked) == 25 - stop


def test_a_torn_line_is_made_again(tmp_path: Path) -> None:
    storage = tmp_path / "trials.jsonl"
    tune(trials=8, storage=storage)
    whole = storage.read_bytes()
    for cut in (1, 30, len(whole.splitlines(keepends=True)[-1]) - 1):
        storage.write_bytes(whole[:-cut])
        assert meaning(tune(storage=storage)) == meaning(tune())


def test_another_searchs_trials_are_left_alone(tmp_path: Path) -> None:
    storage = tmp_path / "trials.jsonl"
    tune(trials=3, storage=storage, seed=5)
    assert meaning(tune(storage=storage)) == meaning(tune())


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    storage = tmp_path / "trials.jsonl"
    storage.write_text("{\n")
    with pytest.raises(StoreError, match=r"trials\.jsonl is damaged"):
        tune(storage=storage)


def test_time_that_was_spent_counts(tmp_path: Path) -> None:
    storage = tmp_path / "trials.jsonl"
    tune(trials=3, storage=storage)
    lines = [json.loads(line) for line in storage.read_text().splitlines()]
    for line in lines:
        line["trial"][-1 if isinstance(line["trial"], list) else "seconds"] = 10.0
    storage.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(tune(storage=storage, seconds=25.0)) == 3


def test_progress_is_told(tmp_path: Path) -> None:
    notes = []

    class Told(Silent):
        def advance(self, task: str, amount: float = 1.0, note: str = "") -> None:
            notes.append((amount, note))

    tune(trials=3, storage=tmp_path / "a", progress=Told())
    assert [amount for amount, _ in notes] == [1, 1, 1]
    tune(trials=5, storage=tmp_path / "a", progress=Told())
    assert notes[3] == (3, "3 trials were there already")
