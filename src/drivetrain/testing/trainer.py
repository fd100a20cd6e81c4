"""What every trainer must do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core.protocols import Engine, FitTask, Fitted, Trainer
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.run import Scalar

OpenSaved = Callable[[Path, str, InputSchema], Engine]
"""Opens a saved file of a format: (path, format, schema) → engine."""

SCHEMA = InputSchema(
    (
        Field("delay"),
        Field("wind"),
        Field("night", "boolean"),
        Field("carrier", "category", ("AA", "B6", "UA", "VX")),
        Field("noise"),
    )
)
"""Of the rows that :func:`make_task` makes."""


def make_rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and labels: likelier late after a delay, with wind, and with one carrier; a tenth of the values null."""
    chance = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            chance.normal(10.0, 30.0, count),
            chance.gamma(2.0, 5.0, count),
            chance.integers(0, 2, count),
            chance.integers(0, 4, count),
            chance.normal(size=count),
        ]
    ).astype(np.float64)
    margin = rows[:, 0] / 20 + rows[:, 1] / 10 + 1.5 * (rows[:, 3] == 2) - 3
    labels = (chance.random(count) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    rows[chance.random(rows.shape) < 0.1] = math.nan
    return rows, labels


def make_task(parameters: Mapping[str, Scalar] | None = None) -> FitTask:
    """Two thousand rows to learn from, and five hundred to judge by."""
    rows, labels = make_rows(2_000, seed=0)
    valid_rows, valid_labels = make_rows(500, seed=1)
    return FitTask(
        rows=rows,
        labels=labels,
        valid_rows=valid_rows,
        valid_labels=valid_labels,
        schema=SCHEMA,
        parameters=parameters or {},
        seed=7,
        threads=1,
    )


class TrainerConformance:
    """Inherit it, and give fixtures ``trainer`` and ``open_saved``."""

    tolerance = 1e-4
    """Largest difference between a model and the first form it was saved in."""

    rounding = 1e-12
    """The same of the forms after it, where that is more: they may add in another order."""

    @pytest.fixture
    def trainer(self) -> Trainer:
        """The trainer under test."""
        raise NotImplementedError

    @pytest.fixture
    def open_saved(self) -> OpenSaved:
        """How what it saves is opened."""
        raise NotImplementedError

    def test_learns(self, trainer: Trainer) -> None:
        """Positive rows score above negative ones, on rows not seen."""
        rows, labels = make_rows(2_000, seed=99)
        scores = _predict(trainer.fit(make_task()), rows)
        assert scores.shape == (2_000,)
        assert scores[labels == 1].mean() > scores[labels == 0].mean() + 0.02
        assert ((scores >= 0) & (scores <= 1)).all()

    def test_same_seed_same_model(self, trainer: Trainer) -> None:
        """Two fits answer alike, bit for bit."""
        rows, _ = make_rows(300, seed=5)
        assert np.array_equal(_predict(trainer.fit(make_task()), rows), _predict(trainer.fit(make_task()), rows))

    def test_fits_without_validation_rows(self, trainer: Trainer) -> None:
        """Validation rows are a help, not a need."""
        task = make_task()
        alone = FitTask(
            rows=task.rows, labels=task.labels, schema=task.schema, parameters={}, seed=task.seed, threads=1
        )
        assert np.isfinite(_predict(trainer.fit(alone), task.rows)).all()

    def test_what_was_used_makes_it_again(self, trainer: Trainer) -> None:
        """The parameters a fit tells of are parameters a fit takes."""
        task = make_task()
        used = trainer.fit(task).parameters()
        assert all(isinstance(value, str | int | float | bool | None) for value in used.values())
        again = trainer.fit(make_task(used))
        assert np.array_equal(_predict(again, task.rows), _predict(trainer.fit(task), task.rows))

    def test_the_whole_search_space_fits(self, trainer: Trainer) -> None:
        """Both ends of every range, and every choice."""
        for name, space in trainer.search_space().items():
            ends = space.choices or tuple(int(end) if space.integer else end for end in (space.low, space.high))
            for value in ends:
                assert np.isfinite(_predict(trainer.fit(make_task({name: value})), make_task().rows)).all()

    def test_what_is_saved_answers_alike(self, trainer: Trainer, open_saved: OpenSaved, tmp_path: Path) -> None:
        """Every form, a batch and a row."""
        rows, _ = make_rows(400, seed=3)
        fitted = trainer.fit(make_task())
        files = fitted.save(tmp_path)
        assert all((tmp_path / name).is_file() for name, _ in files)
        expected = _predict(fitted, rows)
        for at, (name, format) in enumerate(files):
            engine = open_saved(tmp_path / name, format, SCHEMA)
            allowed = max(self.tolerance, self.rounding) if at else self.tolerance
            assert np.max(np.abs(np.asarray(engine.predict(rows)) - expected)) <= allowed
            assert np.max(np.abs([engine.predict_row(row) for row in rows[:20].tolist()] - expected[:20])) <= allowed

    def test_rows_count_by_their_weights(self, trainer: Trainer) -> None:
        """Weights of one leave the answers where they are; heavier rows of one label draw them to it."""
        task = make_task()
        plain = FitTask(
            rows=task.rows, labels=task.labels, schema=task.schema, parameters={}, seed=task.seed, threads=1
        )
        for weight in (1.0, 4.0):
            weights = np.where(task.labels == 1, weight, 1.0)
            said = _predict(trainer.fit(replace(plain, weights=weights)), task.rows)
            share = np.average(task.labels, weights=weights)
            assert np.average(said, weights=weights) == pytest.approx(share, abs=0.05)
        assert share - task.labels.mean() > 0.1

    def test_importance_adds_up(self, trainer: Trainer) -> None:
        """Shares of the features, or nothing."""
        shares = trainer.fit(make_task()).importance()
        if shares:
            assert set(shares) == set(SCHEMA.names)
            assert sum(shares.values()) == pytest.approx(1.0)

    def test_is_plain_text(self, trainer: Trainer) -> None:
        """Its meaning can be told, and compared, by its text."""
        assert "0x" not in repr(trainer)
        assert trainer.name
        assert trainer.engine


def _predict(fitted: Fitted, rows: np.ndarray) -> np.ndarray:
    return np.asarray(fitted.predict(rows))
