from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from drivetrain.core.errors import StoreError, TrainingError, UsageError
from drivetrain.core.protocols import Engine, FitTask
from drivetrain.core.records import Field, InputSchema
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.trainer import SCHEMA, OpenSaved, TrainerConformance, make_rows, make_task
from drivetrain.train.baselines import HistoricalRate
from drivetrain.train.rate import open_rate

PLAIN = InputSchema((Field("hour"), Field("carrier", "category", ("AA", "UA"))))


class TestTrainer(TrainerConformance):
    made = "from drivetrain.train.baselines import HistoricalRate; trainer = HistoricalRate(by=['carrier', 'night'])"
    kinds = ("binary", "multiclass", "multilabel", "regression", "ranking")
    tolerance = 0.0

    def test_numbers(self) -> None:  # type: ignore[override]
        """Of a group the mean; carrier and night tell too little of the delay for the suite's bar."""
        task = make_task(kind="regression")
        said = self.make().fit(task).predict(task.valid_rows)
        assert np.mean((np.asarray(said) - task.valid_labels) ** 2) < task.valid_labels.var()

    def test_several_classes(self) -> None:  # type: ignore[override]
        """Of a group the share of each; for the suite's bar they tell too little as well."""
        task = make_task(kind="multiclass")
        said = np.asarray(self.make().fit(task).predict(task.rows))
        assert np.allclose(said.sum(axis=1), 1)
        assert said.mean(axis=0) == pytest.approx(np.bincount(task.labels.astype(int)) / 2_000, abs=0.01)

    def test_a_null_tells_something(self) -> None:  # type: ignore[override]
        """Of a column that makes the groups."""
        task = make_task()
        gap = np.isnan(task.rows[:, 3])
        said = np.asarray(self.make().fit(replace(task, labels=gap.astype(float))).predict(task.rows))
        assert said[gap].mean() > said[~gap].mean() + 0.5

    @pytest.fixture
    def open_saved(self) -> OpenSaved:
        def opened(path: Path, format: str, schema: InputSchema) -> Engine:
            assert format == "json"
            return open_rate(path, schema)

        return opened


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        fitted = HistoricalRate(by=["carrier", "night"]).fit(make_task())
        fitted.save(tmp_path)
        rows, _ = make_rows(300, seed=4)
        expected = fitted.predict(rows)
        return EngineCase(open_rate, tmp_path / "rates.json", SCHEMA, rows, expected, fixed_width=False)


def fit(rows: list[tuple[float, float]], labels: list[float], *, by: list[str], smoothing: float = 0.0) -> np.ndarray:
    matrix = np.array(rows, dtype=float).reshape(-1, 2)
    task = FitTask(rows=matrix, labels=np.array(labels), schema=PLAIN, parameters={}, seed=0, threads=1)
    return HistoricalRate(by=by, smoothing=smoothing).fit(task).predict(matrix)


values = st.sampled_from([0.0, 1.0, math.nan])


@given(st.lists(st.tuples(values, values, st.booleans()), min_size=1, max_size=40), st.sampled_from([0.0, 5.0]))
def test_agrees_with_counting_by_hand(rows: list[tuple[float, float, bool]], smoothing: float) -> None:
    labels = [float(label) for *_, label in rows]
    said = fit([row[:2] for row in rows], labels, by=["hour", "carrier"], smoothing=smoothing)
    overall = sum(labels) / len(labels)
    for place, row in enumerate(rows):
        key = [str(value) for value in row[:2]]
        same = [label for other, label in zip(rows, labels, strict=True) if [str(v) for v in other[:2]] == key]
        assert said[place] == pytest.approx((sum(same) + smoothing * overall) / (len(same) + smoothing))


def test_a_group_never_seen_gets_the_overall_rate(tmp_path: Path) -> None:
    task = FitTask(
        rows=np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 1.0]]), labels=np.array([1.0, 0.0, 1.0]), schema=PLAIN,
        parameters={}, seed=0, threads=1,
    )  # fmt: skip
    HistoricalRate(by=["hour"], smoothing=0).fit(task).save(tmp_path)
    engine = open_rate(tmp_path / "rates.json", PLAIN)
    assert engine.predict_row([3.0, 0.0]) == pytest.approx(2 / 3)
    assert engine.predict_row([1.0, math.nan]) == 0.5


def test_by_nothing_is_the_overall_rate() -> None:
    assert fit([(1.0, 0.0), (2.0, 1.0)], [1.0, 0.0], by=[]).tolist() == [0.5, 0.5]


def test_a_table_survives_another_order_of_categories(tmp_path: Path) -> None:
    task = FitTask(
        rows=np.array([[1.0, 0.0], [1.0, 1.0]]), labels=np.array([1.0, 0.0]), schema=PLAIN,
        parameters={}, seed=0, threads=1,
    )  # fmt: skip
    HistoricalRate(by=["carrier"], smoothing=0).fit(task).save(tmp_path)
    other = InputSchema((Field("carrier", "category", ("UA", "VX", "AA")),))
    engine = open_rate(tmp_path / "rates.json", other)
    assert [engine.predict_row([code]) for code in (0.0, 1.0, 2.0)] == [0.0, 0.5, 1.0]


def test_a_feature_it_does_not_have_is_named_with_close_ones() -> None:
    with pytest.raises(TrainingError, match="one such as carrier"):
        HistoricalRate(by=["carier"]).fit(make_task())


def test_bad_settings() -> None:
    with pytest.raises(UsageError, match="list of features"):
        HistoricalRate(by="carrier")
    with pytest.raises(UsageError, match="negative"):
        HistoricalRate(smoothing=-1)


def test_a_table_by_a_feature_that_is_gone(tmp_path: Path) -> None:
    HistoricalRate(by=["carrier"]).fit(make_task()).save(tmp_path)
    with pytest.raises(StoreError, match="'carrier', which the schema lacks"):
        open_rate(tmp_path / "rates.json", InputSchema((Field("hour"),)))
