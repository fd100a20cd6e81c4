"""One training run, from a training set to artifacts and a record that says how they came about."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

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
from drivetrain.core.records import Artifact, Decided, Link, Run
from drivetrain.core.records.making import Making
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import DEFAULT_METRICS, TaskKind
from drivetrain.core.records.version import Packaging
from drivetrain.features.target import Target
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import keep
from drivetrain.train.background import keep_background
from drivetrain.train.checks import check_frame
from drivetrain.train.deciding.deciding import Deciding
from drivetrain.train.deciding.deciding import in_short as read_in_short
from drivetrain.train.deciding.reading import keep_decider
from drivetrain.train.environment import environment_digest, packages
from drivetrain.train.filling import own_importance
from drivetrain.train.folds import over_folds
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.leakage.look import in_short, look_for_leaks, refuse
from drivetrain.train.making import observed
from drivetrain.train.rows import Lesson, Preparing, TrainingRows
from drivetrain.train.score import SUITED, check_suits, judged_score
from drivetrain.train.selection.choose import choose
from drivetrain.train.spent import Spent
from drivetrain.train.split import Splitter
from drivetrain.train.text.kept import keep_reading
from drivetrain.train.tune import Tune
from drivetrain.train.tuning.search import Found, search

_SAMPLE = 4_000
_IMPORTANCE = "importance."


def fit(
    store: Store,
    *,
    model: str,
    frame: pl.DataFrame,
    features: Sequence[str],
    trainer: Trainer,
    split: Splitter,
    tune: Tune | None,
    baselines: Mapping[str, Trainer],
    as_of: Micros,
    training_set: str,
    code: Digest,
    seed: int,
    threads: int,
    progress: Progress,
    preparing: Preparing = Preparing(),
    making: Making = Making(),
    leakage: Leakage = Leakage(),
    claims: Mapping[str, str] = MappingProxyType({}),
    target: Target = Target(),
    deciding: Deciding = Deciding(),
) -> Run:
    """Trains a model and its baselines, and records the run.

    Parameters are tuned on the training rows against the validation rows; boosting stops early there; then the model
    is fitted once more, as it was found best, on every row whose label was known when the test window opened. The
    test rows teach nothing; they are looked at for leaks alone, before anything is fitted.

    The run's id follows from everything that determines its result, so a run that was killed is carried on under its
    own name: trials already made are not made again, a long fit goes on where it was, and the result is the same.

    Args:
        store: Where artifacts and records go.
        model: The model's name.
        frame: The training set: ``_entity``, ``_at``, ``_label``, ``_label_at``, ``_group`` of a ranking, and features
            by full name.
        features: Which of its columns the model reads, in order.
        trainer: How it is fitted.
        split: How its rows are cut.
        tune: How its parameters are searched; the trainer's own if none.
        baselines: What it will be compared with: name → trainer, fitted on the same rows.
        as_of: Where the test window ends.
        training_set: Ref of the table version the frame came from.
        code: Digest of the definitions behind it.
        seed: Of every random choice.
        threads: For fitting; at least 1.
        progress: Told how far it is.
        preparing: How missing values are filled and rows weighed.
        making: What is declared of it, for the record; what it runs on is looked up.
        leakage: What is done about leaks that are found before the fit.
        claims: View → a sentence, for those that read rows earlier than their table has them.
        target: What is asked of the labels; by default their values decide, as :func:`kind_of` says.
        deciding: What is learned about reading the answers.

    Returns:
        The finished run.

    Raises:
        TrainingError: It can't be trained on; the run is recorded as failed with the reason.
    """
    spent = Spent()
    found = packages()
    environment = environment_digest(found)
    seen = observed(store.folder, making, as_of=as_of, threads=threads)
    meaning = [
        model,
        repr(trainer),
        list(features),
        tune and tune.meaning,
        {n: repr(b) for n, b in baselines.items()},
        as_of,
    ]
    meaning += [repr(split), *preparing.meaning, *leakage.meaning, *target.meaning]
    meaning += deciding.meaning
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
        making=seen.making,
    )
    store.catalog.commit(run, links=[Link(training_set, run.ref, "training_set")])
    try:
        check_frame(frame, [*features, *preparing.columns, *split.groups])
        rows = TrainingRows.cut(
            frame, features, split, as_of,
            needs_valid=tune is not None or bool(deciding), preparing=preparing, target=target,
        )  # fmt: skip
        deciding.check(rows.task.kind)
        progress.start(task := f"leaks in {model}")
        leaks = look_for_leaks(frame, rows, groups=split.groups, claims=claims, rules=leakage)
        progress.finish(task, note=in_short(leaks))
        run = replace(run, leakage=leaks)
        refuse(leaks)
        work = _Work(store, run, trainer, tune, max(1, threads), progress, deciding)
        plain = rows
        if preparing.encode and baselines:  # means are the model's own: a baseline reads categories
            bare = dataclasses.replace(preparing, encode=())
            plain = TrainingRows.cut(
                frame, features, split, as_of, needs_valid=tune is not None, preparing=bare, target=target
            )
        done = work.finish(rows, baselines, plain)
    except DrivetrainError as error:
        store.catalog.commit(replace(run, status="failed", error=str(error), **spent.figures()))
        raise
    done = replace(done, making=seen.kept(store.blobs), **spent.figures())
    store.catalog.commit(done)
    work.journal.unlink(missing_ok=True)
    work.rounds.unlink(missing_ok=True)
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
    deciding: Deciding

    @property
    def journal(self) -> Path:
        """Where finished trials wait until the run is recorded."""
        return self.store.folder / self.store.settings.root / "tuning" / f"{self.run.run_id}.jsonl"

    @property
    def rounds(self) -> Path:
        """Where finished rounds of a selection wait until the run is recorded."""
        return self.store.folder / self.store.settings.root / "selection" / f"{self.run.run_id}.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where a fit leaves how far it is, until the run is recorded."""
        return self.store.folder / self.store.settings.root / "checkpoints" / self.run.run_id

    def finish(self, data: TrainingRows, baselines: Mapping[str, Trainer], plain: TrainingRows) -> Run:
        """Everything between the rows and the finished record; baselines are fitted on the plain ones."""
        lesson, everything = self._everything(data)
        every, compared = (lesson, everything) if plain is data else self._everything(plain)
        run = self.run if plain is data else replace(self.run, baseline_schema=every.schema)
        if data.preparing.select is not None:
            selection = choose(
                data, self.trainer, everything, data.preparing.select, storage=self.rounds, progress=self.progress,
                words=f"select features of {run.model}",
            )  # fmt: skip
            run, data = replace(run, selection=selection, baseline_schema=every.schema), data.only(selection.kept)
            lesson, everything = self._everything(data)
        found, parameters, metrics, said = self._choose(data.judged(everything))
        if data.split.folds:
            metrics, said = self._folds(data, replace(everything, parameters=parameters))
        read, decided = self._read(data, said)
        task = f"fit {self.run.model}"
        self.progress.start(task, 1 + len(baselines))
        self.progress.advance(task, 0, note=f"{self.trainer.name} on {len(data.labels):,} rows")
        fitted = self.trainer.fit(replace(everything, parameters=parameters))
        artifacts, packaging = self._keep(fitted, everything)
        texts = keep_reading(self.store.blobs, lesson.reading)
        plainly = texts if every is lesson else keep_reading(self.store.blobs, every.reading)
        kept: dict[str, tuple[Artifact, ...]] = {}
        for name, baseline in baselines.items():
            self.progress.advance(task, note=name)
            own, _ = self._keep(baseline.fit(replace(compared, weights=None)), compared)
            kept[name] = (*own, *plainly)
        shares = own_importance(fitted.importance(), lesson.filled) if lesson.filled.fills else fitted.importance()
        shares = shares if lesson.reading is None else lesson.reading.own_importance(shares)
        self.progress.finish(task, note=f"{self.trainer.name} and {len(kept)} baselines on {len(data.labels):,} rows")
        return replace(
            run,
            status="done",
            parameters=fitted.parameters(),
            metrics=metrics | {_IMPORTANCE + name: share for name, share in shares.items()},
            input_schema=lesson.schema,
            task=data.task,
            imputations=lesson.imputations,
            encodings=lesson.encodings,
            weighing=lesson.weighing,
            artifacts=(
                *artifacts,
                *texts,
                *keep_background(self.store.blobs, (*artifacts, *texts), lesson.schema, data.rows, data.task.kind),
                *read,
            ),
            decided=decided,
            packaging=packaging,
            baselines=kept,
            trials=found.trials if found else (),
            tuning=found.tuning if found else None,
            train_rows=len(data.labels),
            train_since=data.split.since,
            train_until=data.split.taught_until,
        )

    def _everything(self, data: TrainingRows) -> tuple[Lesson, FitTask]:
        """All rows that teach, and the fit of them."""
        lesson = data.lesson()
        return lesson, FitTask(
            rows=lesson.rows,
            labels=lesson.labels,
            weights=lesson.weights,
            schema=lesson.read,
            parameters={},
            groups=lesson.groups,
            kind=data.task.kind,
            classes=data.task.classes,
            levels=data.task.levels,
            seed=self.run.seed,
            threads=self.threads,
            metric=self._metric(data.task.kind),
            checkpoints=self.checkpoints,
        )

    def _metric(self, kind: TaskKind) -> str:
        """What tuning compares."""
        for name in self.tune.metrics if self.tune else ():
            check_suits(name, kind)
        asked = self.tune.compared if self.tune else None
        return DEFAULT_METRICS[kind] if asked is None else asked

    def _choose(self, judged: FitTask) -> tuple[Found | None, dict[str, Scalar], dict[str, float], list[np.ndarray]]:
        """What tuning found, the parameters that it took, and how good they are on unseen rows, with the answers."""
        found: Found | None = None
        if judged.valid_rows is None:
            return found, {}, {}, []
        if self.tune is not None:
            found = search(self.trainer, judged, self.tune, storage=self.journal, progress=self.progress)
        if found is not None:
            judged = replace(judged, parameters=found.parameters)
        stopped = self.trainer.fit(judged)
        said = np.asarray(stopped.predict(judged.valid_rows))
        return found, {**judged.parameters, **stopped.parameters()}, _figures(judged, said), [said]

    def _folds(self, data: TrainingRows, task: FitTask) -> tuple[dict[str, float], list[np.ndarray]]:
        """Figures and answers of each fold, of a model fitted as was found best on the rows that teach for it alone."""
        self.progress.start(name := f"folds of {self.run.model}", len(data.split.folds))
        found = {}
        for fold in data.split.folds:
            judged = data.judged(task, fold)
            # It is told of no rows to stop early by: they judge.
            fitted = self.trainer.fit(replace(judged, valid_rows=None, valid_labels=None))
            found[fold.name] = (judged, np.asarray(fitted.predict(judged.valid_rows)))
            self.progress.advance(name, note=fold.name)
        self.progress.finish(name)
        return over_folds(found, _figures), [said for _, said in found.values()]

    def _read(self, data: TrainingRows, said: Sequence[np.ndarray]) -> tuple[tuple[Artifact, ...], Decided | None]:
        """How answers are to be read, learned from those to rows that judge; nothing where nothing is declared."""
        if not self.deciding:
            return (), None
        self.progress.start(name := f"answers of {self.run.model}")
        decider, decided = self.deciding.learn(data.unseen(said))
        self.progress.finish(name, note=read_in_short(decided))
        return (keep_decider(self.store.blobs, decider),), decided

    def _keep(self, fitted: Fitted, task: FitTask) -> tuple[tuple[Artifact, ...], Packaging]:
        picks = np.linspace(0, len(task.rows) - 1, min(_SAMPLE, len(task.rows))).astype(np.int64)
        return keep(self.store.blobs, fitted, task.schema, np.ascontiguousarray(task.rows[picks]))


def _figures(task: FitTask, scores: np.ndarray) -> dict[str, float]:
    """Every metric that suits the labels, on the validation rows, of the model that has not seen them."""
    labels = np.asarray(task.valid_labels)
    if task.kind == "binary" and set(np.unique(labels)) != {0.0, 1.0}:
        return {}
    if task.kind in {"ranking", "multilabel"} and not (labels > 0).any():
        return {}
    found = {f"valid.{name}": judged_score(name, task, scores) for name in SUITED[task.kind]}
    return {name: value for name, value in found.items() if np.isfinite(value)}
