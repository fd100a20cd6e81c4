"""What every trainer must do."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np
import pytest
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import Engine, FitTask, Fitted, Trainer
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.testing.kill import run_killed

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

CLASSES = ("early", "on time", "late")
LEVELS = (0.1, 0.5, 0.9)
_GROUP = 5
"""Rows of a group, of those that are to be put in order."""

_ENGINES = {"skops": "sklearn"}

_KILLED = """
import os, signal, sys
from pathlib import Path
from msgspec.structs import replace
from drivetrain.testing.trainer import make_task
{made}
def report(iteration, value):
    if iteration == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
task = make_task(kind=sys.argv[3])
trainer.fit(replace(task, report=report, checkpoints=Path(sys.argv[1]), checkpoint_seconds=0.0))
"""


def make_rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and labels: likelier late after a delay, with wind, and with one carrier; a tenth of the values null."""
    rows, margin, chance = _world(count, seed)
    labels = (chance.random(count) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    rows[chance.random(rows.shape) < 0.1] = math.nan
    return rows, labels


def make_task(parameters: Mapping[str, Scalar] | None = None, kind: TaskKind = "binary") -> FitTask:
    """Two thousand rows to learn from, and five hundred to judge by.

    Args:
        parameters: The trainer's.
        kind: Of the answers. The classes, and the names of several labels, are :data:`CLASSES`; quantiles are wanted at
            :data:`LEVELS`; rows that are to be put in order come in groups of five.
    """
    rows, labels = _labelled(2_000, 0, kind)
    valid_rows, valid_labels = _labelled(500, 1, kind)
    return FitTask(
        rows=rows,
        labels=labels,
        valid_rows=valid_rows,
        valid_labels=valid_labels,
        kind=kind,
        classes=CLASSES if kind in {"multiclass", "multilabel"} else (),
        levels=LEVELS if kind == "quantile" else (),
        groups=np.arange(2_000) // _GROUP if kind == "ranking" else None,
        valid_groups=np.arange(500) // _GROUP if kind == "ranking" else None,
        schema=SCHEMA,
        parameters=parameters or {},
        seed=7,
        threads=1,
    )


class ResumeConformance:
    """What a fit must do that is killed; every trainer's suite has it, and settings with a state of their own may too.

    A child process makes the trainer, to be killed: what ``made`` names must be importable there.
    """

    made: ClassVar[str]
    """Python text that sets ``trainer``."""

    dies_at: ClassVar[int | None] = None
    """Iteration at whose report a fit is killed, after a checkpoint; none of trainers that begin again."""

    kind: ClassVar[TaskKind] = "binary"
    """Of the answers."""

    @pytest.fixture
    def trainer(self) -> Trainer:
        """The trainer under test."""
        return self.make()

    def make(self) -> Trainer:
        """A trainer as ``made`` says."""
        scope: dict[str, Any] = {}
        exec(self.made, scope)  # noqa: S102 - the test's own text
        trainer: Trainer = scope["trainer"]
        return trainer

    def test_killed_it_comes_to_the_same_result(self, trainer: Trainer, tmp_path: Path) -> None:
        """``kill -9`` in the midst of a fit: the next goes on, or begins again where it says that it does."""
        task = make_task(kind=self.kind)
        expected = _predict(trainer.fit(task), task.rows)
        seen: list[int] = []
        if self.dies_at is not None:
            ending = run_killed(_KILLED.format(made=self.made), str(tmp_path), str(self.dies_at), self.kind)
            assert ending.killed
            assert list(tmp_path.iterdir())
        task = replace(task, checkpoints=tmp_path, report=lambda iteration, _: seen.append(iteration))
        assert np.array_equal(_predict(trainer.fit(task), task.rows), expected)
        if self.dies_at is not None:
            assert 0 < seen[0] <= self.dies_at

    def test_a_checkpoint_that_is_not_whole_is_no_checkpoint(
        self, trainer: Trainer, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Cut short, or changed in one byte: it is said, and the fit begins again, to the same result."""
        if self.dies_at is None:
            return
        task = replace(make_task(kind=self.kind), checkpoints=tmp_path, checkpoint_seconds=0.0)
        expected = _predict(trainer.fit(task), task.rows)
        left = [*tmp_path.glob("*.checkpoint"), *tmp_path.glob("*/snapshot")]
        assert left
        for path in left:
            whole = path.read_bytes()
            for damaged in (whole[: len(whole) // 2], whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]):
                path.write_bytes(damaged)
                seen: list[int] = []
                told = replace(task, report=lambda iteration, _, seen=seen: seen.append(iteration))
                caplog.clear()
                assert np.array_equal(_predict(trainer.fit(told), task.rows), expected)
                assert seen[0] == 0
                assert "The fit begins again." in caplog.text

    def test_a_checkpoint_is_of_one_fit_alone(self, trainer: Trainer, tmp_path: Path) -> None:
        """Other rows, in the same folder, begin at their own beginning."""
        first, second = make_task(kind=self.kind), make_task(kind=self.kind)
        second.labels[:300] = second.labels.max() - second.labels[:300]
        expected = _predict(trainer.fit(second), second.rows)
        left: dict[str, Any] = {"checkpoints": tmp_path, "checkpoint_seconds": 0.0}
        trainer.fit(replace(first, **left))
        assert np.array_equal(_predict(trainer.fit(replace(second, **left)), second.rows), expected)


class TrainerConformance(ResumeConformance):
    """Inherit it, and say in ``made`` how the trainer is made."""

    kinds: ClassVar[tuple[TaskKind, ...]] = ("binary", "multiclass", "regression")
    """The kinds of answers that it gives; the others it refuses by name."""

    tolerance = 1e-4
    """Largest difference between a model and the first form it was saved in."""

    rounding = 1e-12
    """The same of the forms after it, where that is more: they may add in another order."""

    between_threads = 0.0
    """Largest difference that the number of threads makes."""

    mass = 0.05
    """How far the mean answer may lie from the mean label."""

    @pytest.fixture
    def open_saved(self) -> OpenSaved:
        """How what it saves is opened."""
        return lambda path, format, schema: plugins.load("engine", _ENGINES.get(format, format))(path, schema)

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

    def test_the_number_of_threads_does_not_matter(self, trainer: Trainer) -> None:
        """Or not more than the suite says: a model is made again on another machine."""
        task = make_task()
        one, two = (_predict(trainer.fit(replace(task, threads=threads)), task.rows) for threads in (1, 2))
        assert np.max(np.abs(one - two)) <= self.between_threads

    def test_fits_without_validation_rows(self, trainer: Trainer) -> None:
        """Validation rows are a help, not a need."""
        task = _alone(make_task())
        assert np.isfinite(_predict(trainer.fit(task), task.rows)).all()

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
        self.check_saved(trainer.fit(make_task()), open_saved, tmp_path)

    def test_no_file_of_it_is_a_pickle(self, trainer: Trainer, tmp_path: Path) -> None:
        """What loads must not be able to run anything; TorchScript's own reader makes tensors of its data alone."""
        for name, format in trainer.fit(make_task()).save(tmp_path):
            data = (tmp_path / name).read_bytes()
            assert data[:1] != b"\x80"
            if format != "torch" and zipfile.is_zipfile(tmp_path / name):
                with zipfile.ZipFile(tmp_path / name) as archive:
                    assert not [part for part in archive.namelist() if archive.read(part)[:1] == b"\x80"]

    def test_explanations_add_up(self, trainer: Trainer, open_saved: OpenSaved, tmp_path: Path) -> None:
        """Where what is served first explains, contributions add up to the margin of the answer."""
        rows, _ = make_rows(50, seed=8)
        (name, format), *_ = trainer.fit(make_task()).save(tmp_path)
        engine = open_saved(tmp_path / name, format, SCHEMA)
        explained = engine.explain(rows)
        if explained is not None:
            contributions = np.asarray(explained)
            assert contributions.shape == (50, len(SCHEMA.fields) + 1)
            assert np.allclose(
                1 / (1 + np.exp(-contributions.sum(axis=1))), np.asarray(engine.predict(rows)), atol=1e-5
            )

    def test_several_classes(self, trainer: Trainer, open_saved: OpenSaved, tmp_path: Path) -> None:
        """A probability of each, which add up; what is saved says the same."""
        if self.refuses("multiclass", trainer):
            return
        task = make_task(kind="multiclass")
        fitted = trainer.fit(task)
        said = self.check_saved(fitted, open_saved, tmp_path)
        assert said.shape == (400, len(CLASSES))
        assert np.allclose(said.sum(axis=1), 1)
        seen = np.argmax(_predict(fitted, task.valid_rows), axis=1)
        assert np.mean(seen == task.valid_labels) > np.bincount(task.valid_labels.astype(int)).max() / 500 + 0.05

    def test_two_classes_by_name(self, trainer: Trainer, open_saved: OpenSaved, tmp_path: Path) -> None:
        """Are two numbers still: not a no and a yes."""
        if self.refuses("multiclass", trainer):
            return
        task = replace(make_task(), kind="multiclass", classes=CLASSES[:2])
        assert self.check_saved(trainer.fit(task), open_saved, tmp_path).shape == (400, 2)

    def test_numbers(self, trainer: Trainer, open_saved: OpenSaved, tmp_path: Path) -> None:
        """A value in the label's own units, nearer to it than the mean is; what is saved says the same."""
        if self.refuses("regression", trainer):
            return
        task = make_task(kind="regression")
        fitted = trainer.fit(task)
        self.check_saved(fitted, open_saved, tmp_path)
        left = np.mean((_predict(fitted, task.valid_rows) - task.valid_labels) ** 2)
        assert left < 0.8 * task.valid_labels.var()

    @pytest.mark.parametrize("kind", get_args(TaskKind))
    def test_a_kind_it_does_not_fit_is_refused_by_name(self, trainer: Trainer, kind: TaskKind) -> None:
        """Never fitted as something else."""
        self.refuses(kind, trainer)

    @pytest.mark.parametrize(
        ("kind", "wrong"),
        [("binary", 2.0), ("binary", 0.5), ("multiclass", 3.0), ("regression", math.inf), ("regression", math.nan)],
    )
    def test_labels_of_another_kind_are_refused(self, trainer: Trainer, kind: TaskKind, wrong: float) -> None:
        """In plain words, with the row and what was expected."""
        if kind not in self.kinds:
            return
        task = make_task(kind=kind)
        labels = task.labels.copy()
        labels[17] = wrong
        with pytest.raises(TrainingError, match=r"labels are not .* row 17") as refused:
            trainer.fit(replace(task, labels=labels))
        assert refused.value.expected
        assert refused.value.do

    def test_a_category_is_no_number(self, trainer: Trainer) -> None:
        """What holds of every other category is learned."""
        task = make_task()
        labels = (np.nan_to_num(task.rows[:, 3]) % 2).astype(np.float64)
        said = _predict(trainer.fit(_alone(replace(task, labels=labels))), task.rows)
        assert said[labels == 1].mean() > said[labels == 0].mean() + 0.2

    def test_a_null_tells_something(self, trainer: Trainer) -> None:
        """That a number, or a category, is missing is learned from."""
        task = make_task()
        for column in (1, 3):
            gap = np.isnan(task.rows[:, column])
            labels = np.where(gap, 1.0, (np.arange(len(gap)) % 5 == 0).astype(np.float64))
            said = _predict(trainer.fit(_alone(replace(task, labels=labels))), task.rows)
            assert said[gap].mean() > said[~gap].mean() + 0.2

    def test_rows_count_by_their_weights(self, trainer: Trainer) -> None:
        """Weights of one leave the answers where they are; heavier rows of one label draw them to it."""
        plain = _alone(make_task())
        for weight in (1.0, 4.0):
            weights = np.where(plain.labels == 1, weight, 1.0)
            said = _predict(trainer.fit(replace(plain, weights=weights)), plain.rows)
            share = np.average(plain.labels, weights=weights)
            assert np.average(said, weights=weights) == pytest.approx(share, abs=self.mass)
        assert share - plain.labels.mean() > 0.1

    def test_progress_is_told(self, trainer: Trainer) -> None:
        """Iteration by iteration, where there are any; and it may end the fit."""
        seen: list[int] = []
        trainer.fit(replace(make_task(), report=lambda iteration, _: seen.append(iteration)))
        assert seen == list(range(len(seen)))

        def enough(iteration: int, value: float) -> None:  # noqa: ARG001 - as reports are
            raise KeyError("enough")

        if seen:
            with pytest.raises(KeyError, match="enough"):
                trainer.fit(replace(make_task(), report=enough))

    @pytest.mark.parametrize(("metric", "rising"), [("roc_auc", True), ("log_loss", False)])
    def test_what_it_tells_gets_better(self, trainer: Trainer, metric: str, rising: bool) -> None:  # noqa: FBT001 - a case
        """In the metric's own sense, or trials would be given up for being good."""
        seen: list[float] = []
        asked = replace(make_task(), metric=metric, rising=rising, report=lambda _, value: seen.append(value))
        trainer.fit(asked)
        if len(seen) > 1:
            better = max(seen[1:]) > seen[0] if rising else min(seen[1:]) < seen[0]
            assert better, f"told {seen[:5]} of {metric}"

    def test_importance_adds_up(self, trainer: Trainer) -> None:
        """Shares of the features, or nothing."""
        shares = trainer.fit(make_task()).importance()
        if shares:
            assert set(shares) == set(SCHEMA.names)
            assert sum(shares.values()) == pytest.approx(1.0)

    def test_is_plain_text(self, trainer: Trainer) -> None:
        """Its meaning can be told, and compared, by its text."""
        assert "0x" not in repr(trainer)
        assert repr(trainer) == repr(self.make())
        assert trainer == self.make()
        assert trainer.name
        assert trainer.engine

    def check_saved(self, fitted: Fitted, open_saved: OpenSaved, folder: Path) -> np.ndarray:
        """Every form answers as the model does, a batch and a row; what it says of 400 rows."""
        rows, _ = make_rows(400, seed=3)
        files = fitted.save(folder)
        assert files
        assert all((folder / name).is_file() for name, _ in files)
        expected = _predict(fitted, rows)
        scale = max(1.0, float(np.max(np.abs(expected))))
        for at, (name, format) in enumerate(files):
            engine = open_saved(folder / name, format, SCHEMA)
            allowed = scale * (max(self.tolerance, self.rounding) if at else self.tolerance)
            said = np.asarray(engine.predict(rows))
            assert said.shape == expected.shape
            assert np.max(np.abs(said - expected)) <= allowed
            assert np.max(np.abs([engine.predict_row(row) for row in rows[:20].tolist()] - expected[:20])) <= allowed
        return expected

    def refuses(self, kind: TaskKind, trainer: Trainer) -> bool:
        """Whether it does not give such answers; then it must say so by name."""
        if kind in self.kinds:
            return False
        task = replace(make_task(kind="regression"), kind=kind, classes=CLASSES)
        with pytest.raises(TrainingError, match=f"(do|does) not tell {KINDS[kind]}") as refused:
            trainer.fit(task)
        assert refused.value.do
        return True


def _world(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
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
    return rows, rows[:, 0] / 20 + rows[:, 1] / 10 + 1.5 * (rows[:, 3] == 2) - 3, chance


def _labelled(count: int, seed: int, kind: TaskKind) -> tuple[np.ndarray, np.ndarray]:
    if kind == "binary":
        return make_rows(count, seed)
    rows, margin, chance = _world(count, seed)
    margin = margin + 0.3 * chance.normal(size=count)
    rows[chance.random(rows.shape) < 0.1] = math.nan
    if kind in {"regression", "quantile"}:
        return rows, 250.0 + 40.0 * margin
    if kind == "multilabel":
        return rows, np.column_stack([margin < 0, margin > -2, margin > 1]).astype(np.float64)
    return rows, np.digitize(margin, [-2.0, 0.0]).astype(np.float64)


def _alone(task: FitTask) -> FitTask:
    """The task without validation rows."""
    return replace(task, valid_rows=None, valid_labels=None)


def _predict(fitted: Fitted, rows: np.ndarray) -> np.ndarray:
    return np.asarray(fitted.predict(rows))
