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
from drivetrain.testing.kill import run_killed

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


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TrainingError("no rows", do="Add some"), str(TrainingError("no rows", do="Add some"))),
        (ZeroDivisionError("division\n  by zero"), "ZeroDivisionError: division by zero"),
        (MemoryError(), "out of memory"),
        (MemoryError("Unable to allocate 3.1 TiB"), "out of memory: Unable to allocate 3.1 TiB"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_whatever_a_trial_raises_is_its_reason_and_the_search_goes_on(error: Exception, reason: str) -> None:
    calls = []

    def breaks(parameters: Mapping[str, Scalar], report: Report) -> float:
        calls.append(parameters)
        if len(calls) == 4:
            raise error
        return bowl(parameters, report)

    trials = tune(breaks, trials=8)
    assert [trial.number for trial in trials if trial.state == "failed"] == [3]
    assert trials[3].reason == reason
    assert {trial.reason for trial in trials if trial.state != "failed"} == {""}
    assert len(calls) == 8


def test_an_interrupt_ends_the_search_and_keeps_what_was_found(tmp_path: Path) -> None:
    calls = []

    def breaks(parameters: Mapping[str, Scalar], report: Report) -> float:
        calls.append(parameters)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return bowl(parameters, report)

    storage = tmp_path / "trials.jsonl"
    with pytest.raises(KeyboardInterrupt):
        tune(breaks, storage=storage)
    assert [path.name for path in tmp_path.iterdir()] == ["trials.jsonl"]
    assert meaning(tune(storage=storage)) == meaning(tune())


DYING = """
import os, signal, sys
from pathlib import Path
from drivetrain.core import plugins
from drivetrain.core.progress import Silent
from drivetrain.testing.kill import armed
from adapters.test_optuna import SPACE, bowl
calls = []
def dies(parameters, report):
    calls.append(parameters)
    if parameters["kind"] == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    return bowl(parameters, report)
armed()
plugins.load("tuner", "optuna").tune(
    dies, SPACE, trials=6, seed=1, seconds=None, storage=Path(sys.argv[1]), progress=Silent()
)
"""


def test_a_trial_that_kills_the_process_is_given_up_after_the_third_time(tmp_path: Path) -> None:
    storage = tmp_path / "trials.jsonl"
    first = next(number for number, trial in enumerate(tune(trials=6)) if trial.parameters["kind"] == "b")
    for _ in range(3):
        assert run_killed(DYING, str(storage)).killed
        assert len(storage.read_bytes().splitlines()) == first if first else not storage.exists()

    def survives(parameters: Mapping[str, Scalar], report: Report) -> float:
        return bowl(parameters, report)

    trials = tune(survives, trials=6, storage=storage)
    assert trials[first].state == "failed"
    assert "the process died 3 times" in trials[first].reason
    assert [trial.state for trial in trials].count("failed") == 1
    assert not storage.with_suffix(".trying").exists()


def test_pruning_saves_iterations() -> None:
    spent = []

    def counted(parameters: Mapping[str, Scalar], report: Report) -> float:
        spent.append(0)

        def count(iteration: int, value: float) -> None:
            spent[-1] += 1
            report(iteration, value)

        return bowl(parameters, count)

    trials = tune(counted)
    pruned = [trial.number for trial in trials if trial.state == "pruned"]
    assert len(pruned) > 2
    assert all(20 <= spent[number] < 40 for number in pruned)
    assert all(spent[trial.number] == 40 for trial in trials if trial.state == "complete")
    assert sum(spent) < 0.9 * 40 * len(trials)


def test_what_is_enqueued_is_tried_first_and_told() -> None:
    trials = tune(enqueue=[{"x": 0.4, "leaves": 17, "kind": "a"}, {"x": 0.45}], trials=6)
    assert trials[0].parameters == {"x": 0.4, "leaves": 17, "kind": "a"}
    assert trials[1].parameters["x"] == 0.45
    assert [trial.enqueued for trial in trials] == [True, True, False, False, False, False]


def test_a_warm_search_comes_as_far_in_fewer_trials() -> None:
    """Against a cold one, over several seeds: trials until it first is as good as the earlier search came out."""

    def until(trials: list[Trial], wanted: float) -> int:
        values = [-9.0 if trial.value is None else trial.value for trial in trials]
        return next((place for place, value in enumerate(values) if value >= wanted), len(values))

    cold, warm = 0, 0
    for seed in range(2):
        before = tune(seed=seed, trials=12)
        known = max((trial for trial in before if trial.value is not None), key=lambda trial: trial.value or 0.0)
        assert known.value is not None

        def shifted(parameters: Mapping[str, Scalar], report: Report) -> float:
            return bowl({**parameters, "x": float(parameters["x"]) - 0.05}, report)  # the rows have changed a little

        wanted = known.value - 0.02
        cold += until(tune(shifted, seed=seed + 50, trials=15), wanted)
        warm += until(tune(shifted, seed=seed + 50, trials=15, enqueue=[known.parameters]), wanted)
    assert warm < cold / 2


def costly(parameters: Mapping[str, Scalar], report: Report) -> tuple[float, float]:
    for iteration in range(30):
        report(iteration, 0.0)
    return bowl(parameters, lambda *_: None), -float(parameters["leaves"])


def test_several_objectives_are_searched_at_once_and_none_is_pruned() -> None:
    trials = tune(costly, objectives=["quality", "size"], trials=30)
    assert {trial.state for trial in trials} == {"complete"}
    assert all(list(trial.values) == ["quality", "size"] for trial in trials)
    assert all(trial.value == trial.values["quality"] for trial in trials)
    later, earlier = ([trial.values for trial in part] for part in (trials[15:], trials[:5]))
    assert max(each["quality"] for each in later) > max(each["quality"] for each in earlier)
    assert any(each["size"] > -6 for each in later)  # it also looks where models are small
    assert meaning(trials) == meaning(tune(costly, objectives=["quality", "size"], trials=30))


@pytest.mark.parametrize("stop", [2, 9])
def test_several_objectives_carry_on_to_the_same_result(tmp_path: Path, stop: int) -> None:
    storage = tmp_path / "trials.jsonl"
    tune(costly, objectives=["quality", "size"], trials=stop, storage=storage)
    again = tune(costly, objectives=["quality", "size"], trials=14, storage=storage)
    assert meaning(again) == meaning(tune(costly, objectives=["quality", "size"], trials=14))


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
