"""One training run, from a training set to artifacts and a record that says how they came about."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.ids import derived_id
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import FitTask, Fitted, Trainer
from drivetrain.core.records import Artifact, Link, Run
from drivetrain.core.records.run import Scalar, Trial
from drivetrain.core.records.version import Packaging
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import keep
from drivetrain.train.background import keep_background
from drivetrain.train.checks import check_frame
from drivetrain.train.environment import environment_digest, packages
from drivetrain.train.filling import own_importance
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.score import METRICS, score
from drivetrain.train.split import TimeSplit
from drivetrain.train.tune import Tune, best, search

_SAMPLE = 4_000
_IMPORTANCE = "importance."


def fit(
    store: Store,
    *,
    model: str,
    frame: pl.DataFrame,
    features: Sequence[str],
    trainer: Trainer,
    split: TimeSplit,
    tune: Tune | None,
    baselines: Mapping[str, Trainer],
    as_of: Micros,
    training_set: str,
    code: Digest,
    seed: int,
    threads: int,
    progress: Progress,
    preparing: Preparing = Preparing(),
) -> Run:
    """Trains a model and its baselines, and records the run.

    Parameters are tuned on the training rows against the validation rows; boosting stops early there; then the model
    is fitted once more, as it was found best, on every row whose label was known when the test window opened. The
    test rows are never touched.

    The run's id follows from everything that determines its result, so a run that was killed is carried on under its
    own name: trials already made are not made again, a long fit goes on where it was, and the result is the same.

    Args:
        store: Where artifacts and records go.
        model: The model's name.
        frame: The training set: ``_entity``, ``_at``, ``_label``, ``_label_at``, and features by full name.
        features: Which of its columns the model reads, in order.
        trainer: How it is fitted.
        split: How its rows are cut by time.
        tune: How its parameters are searched; the trainer's own if none.
        baselines: What it will be compared with: name → trainer, fitted on the same rows.
        as_of: Where the test window ends.
        training_set: Ref of the table version the frame came from.
        code: Digest of the definitions behind it.
        seed: Of every random choice.
        threads: For fitting; at least 1.
        progress: Told how far it is.
        preparing: How missing values are filled and rows weighed.

    Returns:
        The finished run.

    Raises:
        TrainingError: It can't be trained on; the run is recorded as failed with the reason.
    """
    started = time.monotonic()
    found = packages()
    environment = environment_digest(found)
    meaning = [model, repr(trainer), list(features), split, tune, {n: repr(b) for n, b in baselines.items()}, as_of]
    meaning += preparing.meaning
    run = Run(
        at=clock.now(),
        run_id=derived_id("run", digest([*meaning, training_set, code, environment, seed])),
        model=model,
        trainer=trainer.name,
        code=code,
        environment=environment,
        packages=found,
        inputs={"training_set": training_set},
        seed=seed,
    )
    store.catalog.commit(run, links=[Link(training_set, run.ref, "training_set")])
    work = _Work(store, run, trainer, tune, max(1, threads), progress)
    try:
        check_frame(frame, [*features, *preparing.columns])
        rows = TrainingRows.cut(frame, features, split, as_of, needs_valid=tune is not None, preparing=preparing)
        done = work.finish(rows, baselines)
    except DrivetrainError as error:
        store.catalog.commit(replace(run, status="failed", error=str(error), seconds=time.monotonic() - started))
        raise
    done = replace(done, seconds=time.monotonic() - started)
    store.catalog.commit(done)
    work.journal.unlink(missing_ok=True)
    shutil.rmtree(work.checkpoints, ignore_errors=True)
    return done


def importance(run: Run) -> dict[str, float]:
    """Feature → share of the model's gain, adding to one; empty where the trainer can't tell."""
    return {
        name.removeprefix(_IMPORTANCE): share for name, share in run.metrics.items() if name.startswith(_IMPORTANCE)
    }


@dataclass(frozen=True)
class _Work:
    """A run under way."""

    store: Store
    run: Run
    trainer: Trainer
    tune: Tune | None
    threads: int
    progress: Progress

    @property
    def journal(self) -> Path:
        """Where finished trials wait until the run is recorded."""
        return self.store.folder / self.store.settings.root / "tuning" / f"{self.run.run_id}.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where a fit leaves how far it is, until the run is recorded."""
        return self.store.folder / self.store.settings.root / "checkpoints" / self.run.run_id

    def finish(self, data: TrainingRows, baselines: Mapping[str, Trainer]) -> Run:
        """Everything between the rows and the finished record."""
        lesson = data.lesson()
        everything = FitTask(
            rows=lesson.rows,
            labels=lesson.labels,
            weights=lesson.weights,
            schema=lesson.schema.read if lesson.schema.fills else lesson.schema,
            parameters={},
            seed=self.run.seed,
            threads=self.threads,
            metric=self.tune.metric if self.tune else "average_precision",
            checkpoints=self.checkpoints,
        )
        trials, parameters, metrics = self._choose(data.judged(everything))
        task = f"fit {self.run.model}"
        self.progress.start(task, 1 + len(baselines))
        self.progress.advance(task, 0, note=f"{self.trainer.name} on {len(data.labels):,} rows")
        fitted = self.trainer.fit(replace(everything, parameters=parameters))
        artifacts, packaging = self._keep(fitted, everything)
        kept: dict[str, tuple[Artifact, ...]] = {}
        for name, baseline in baselines.items():
            self.progress.advance(task, note=name)
            kept[name], _ = self._keep(baseline.fit(replace(everything, weights=None)), everything)
        shares = own_importance(fitted.importance(), lesson.schema) if lesson.schema.fills else fitted.importance()
        self.progress.finish(task, note=f"{self.trainer.name} and {len(kept)} baselines on {len(data.labels):,} rows")
        return replace(
            self.run,
            status="done",
            parameters=fitted.parameters(),
            metrics=metrics | {_IMPORTANCE + name: share for name, share in shares.items()},
            input_schema=lesson.schema,
            imputations=lesson.imputations,
            weighing=lesson.weighing,
            artifacts=(
                *artifacts,
                *keep_background(self.store.blobs, artifacts, lesson.schema, data.rows, data.labels),
            ),
            packaging=packaging,
            baselines=kept,
            trials=trials,
            train_rows=len(data.labels),
            train_since=data.split.since,
            train_until=data.split.test_since,
        )

    def _choose(self, judged: FitTask) -> tuple[tuple[Trial, ...], dict[str, Scalar], dict[str, float]]:
        """Trials, the parameters that did best, and how good they are on rows they have not seen."""
        trials: tuple[Trial, ...] = ()
        if judged.valid_rows is None:
            return trials, {}, {}
        if self.tune is not None:
            trials = search(self.trainer, judged, self.tune, storage=self.journal, progress=self.progress)
        if self.tune is not None and trials:
            judged = replace(judged, parameters=best(trials, self.tune.metric).parameters)
        stopped = self.trainer.fit(judged)
        return trials, {**judged.parameters, **stopped.parameters()}, _metrics(stopped, judged)

    def _keep(self, fitted: Fitted, task: FitTask) -> tuple[tuple[Artifact, ...], Packaging]:
        picks = np.linspace(0, len(task.rows) - 1, min(_SAMPLE, len(task.rows))).astype(np.int64)
        return keep(self.store.blobs, fitted, task.schema, np.ascontiguousarray(task.rows[picks]))


def _metrics(fitted: Fitted, task: FitTask) -> dict[str, float]:
    """Every metric that fits the labels, on the validation rows, of the model that has not seen them."""
    if set(np.unique(task.valid_labels)) != {0.0, 1.0}:
        return {}
    scores = np.asarray(fitted.predict(task.valid_rows))
    return {f"valid.{name}": score(name, task.valid_labels, scores) for name in METRICS}
