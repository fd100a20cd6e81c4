from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import MissingExtra, StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion, Run
from drivetrain.core.records.version import Candidate
from drivetrain.registry.load import load_engine
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import engine_of
from drivetrain.train.packaging import FASTER, Form, choose, cost, package
from registry.versions import SCHEMA, registered
from train.world import train

ROWS = np.linspace(0.0, 1.0, 300).reshape(100, 3)


class Mean:
    """Answers with a row's mean, and what is added to it, after a while."""

    def __init__(self, *, off: float = 0.0, row_off: float = 0.0, seconds: float = 0.0) -> None:
        self._off, self._row_off, self._seconds = off, row_off, seconds

    def predict(self, rows: Matrix) -> np.ndarray:
        time.sleep(self._seconds)
        answers: np.ndarray = np.asarray(rows).mean(axis=1) + self._off
        return answers

    def predict_row(self, row: Sequence[float]) -> float:
        time.sleep(self._seconds)
        return float(np.mean(row)) + self._off + self._row_off

    def explain(self, rows: Matrix) -> None:
        """Not known."""


def form(engine: str, opened: Engine | Exception) -> Form:
    def open_it() -> Engine:
        if isinstance(opened, Exception):
            raise opened
        return opened

    return Form(engine, f"model.{engine}", 10, open_it)


def packaged(*forms: Form, scale: float = 1.0) -> Any:
    return package(forms, ROWS.mean(axis=1) * scale, ROWS)


def test_the_fastest_that_agrees_is_chosen_and_every_other_told_why_not() -> None:
    found = packaged(
        form("native", Mean(seconds=0.002)),
        form("graph", Mean(off=1e-6)),
        form("wrong", Mean(off=0.01)),
        form("torch", MissingExtra("the torch adapter needs torch", do='Run: pip install "drivetrain[torch]"')),
    )
    native, graph, wrong, lacking = found.candidates
    assert found.chosen is graph
    assert graph.difference == pytest.approx(1e-6)
    assert graph.rows == 100
    assert graph.reason.endswith("as fast as native, and agrees.")
    assert native.agrees
    assert native.row_us > 2_000
    assert native.batch_us > 2_000
    assert native.reason.startswith("graph is ")
    assert (wrong.agrees, wrong.chosen, wrong.row_us) == (False, False, None)
    assert wrong.reason == "It differs by 0.01; at most 0.0001 is allowed."
    assert "drivetrain[torch]" in lacking.reason
    assert lacking.difference is None


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (Mean(off=math.nan), "no numbers"),
        (Mean(row_off=0.5), "differs by 0.5"),
        (StoreError("it is spoilt"), "can't be opened: it is spoilt"),
        (RuntimeError("a crash"), "does not answer: a crash"),
    ],
)
def test_what_does_not_agree_is_never_chosen(engine: Any, reason: str) -> None:
    found = packaged(form("bad", engine), form("good", Mean(seconds=0.001)))
    assert reason in found.candidates[0].reason
    assert found.chosen is found.candidates[1]
    assert found.chosen.reason == "It agrees, and is the only one that does."
    assert packaged(form("bad", engine)).chosen is None


def test_another_shape_does_not_agree() -> None:
    class Wide(Mean):
        def predict(self, rows: Matrix) -> np.ndarray:
            return np.column_stack([super().predict(rows)] * 3)

    assert "in shape (100, 3)" in packaged(form("wide", Wide())).candidates[0].reason


def test_the_tolerance_is_that_of_a_probability_or_a_share_of_large_values() -> None:
    assert packaged(form("a", Mean())).tolerance == 1e-4
    large = ROWS.mean(axis=1) * 1e6
    assert package([form("a", Mean())], large, ROWS).tolerance == pytest.approx(1e-4 * large.max())


def test_equals_come_out_in_the_trainers_order_however_often_they_are_timed() -> None:
    for _ in range(4):
        found = packaged(form("first", Mean(seconds=0.001)), form("second", Mean(seconds=0.001)))
        assert found.chosen is found.candidates[0]


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.04])
def test_it_is_quick_whatever_the_engine(seconds: float) -> None:
    """Counted in calls: what a second is depends on who else wants the machine."""
    asked = []

    class Counted(Mean):
        def predict(self, rows: Matrix) -> np.ndarray:
            asked.append(len(rows))
            return super().predict(rows)

    found = packaged(form("slow", Counted(seconds=seconds)), form("fast", Mean()))
    assert len(asked) * seconds < 1.5
    assert found.candidates[0].row_us >= 1e6 * seconds


candidates = st.lists(st.tuples(st.booleans(), st.floats(1.0, 1e5), st.floats(1.0, 1e6)), min_size=1, max_size=5)


@given(candidates)
def test_the_rule(given_times: list[tuple[bool, float, float]]) -> None:
    """One at most is chosen; it agrees; none that agrees is 1.25 times as fast; none before it is as fast."""
    made = [
        Candidate(engine=str(at), name="", size=0, agrees=agrees, row_us=row, batch_us=batch)
        for at, (agrees, row, batch) in enumerate(given_times)
    ]
    found = choose(made)
    chosen = [each for each in found if each.chosen]
    agreeing = [each for each in found if each.agrees]
    assert len(chosen) == bool(agreeing)
    assert [each.engine for each in found] == [each.engine for each in made]
    if chosen:
        assert chosen[0].agrees
        assert all(
            cost(chosen[0]) < FASTER * cost(each) or each is chosen[0] for each in agreeing[found.index(chosen[0]) :]
        )
        assert all(each.reason for each in agreeing)


def test_noise_below_the_margin_changes_nothing() -> None:
    def pair(row: float, batch: float) -> list[Candidate]:
        common: Callable[..., Candidate] = lambda **more: Candidate(name="", size=0, agrees=True, **more)  # noqa: E731
        return [
            common(engine="native", row_us=10.0, batch_us=640.0),
            common(engine="graph", row_us=row, batch_us=batch),
        ]

    assert choose(pair(8.2, 520.0))[0].chosen, "1.22 and 1.23 times as fast"
    assert choose(pair(16.0, 320.0))[0].chosen, "half the time in batches, and 1.6 times alone"
    assert choose(pair(7.0, 500.0))[1].chosen


def test_a_version_says_how_its_engine_was_chosen(store: Store) -> None:
    run = train(store)
    assert run.packaging is not None
    chosen = run.packaging.chosen
    assert chosen is not None
    assert chosen.engine == engine_of(run.artifacts)
    assert {each.name for each in run.packaging.candidates if each.agrees} == {each.name for each in run.artifacts}
    assert all(each.difference is not None and each.difference < 1e-12 for each in run.packaging.candidates)
    assert store.catalog.get(Run, run.run_id) == run


def test_records_older_than_the_choice_still_decode(store: Store) -> None:
    version = registered(store, "r1")
    old = msgspec.json.decode(msgspec.json.encode(version))
    old.pop("packaging")
    assert msgspec.convert(old, ModelVersion).packaging is None


@pytest.mark.parametrize("threads", [1, 3])
def test_the_setting_reaches_the_engine(store: Store, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def opened(path: Path, schema: Any, given_threads: int = 1, /) -> Engine:
        assert schema == SCHEMA
        seen.append(given_threads)
        return Mean()

    monkeypatch.setattr("drivetrain.train.artifacts.open_rate", opened)
    load_engine(store, registered(store, "r1"), threads)
    assert seen == [threads]
