"""Searching for parameters: on a sample of the training rows, judged on the validation rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import FitTask, Trainer, Tuner
from drivetrain.core.records.run import Scalar, Trial
from drivetrain.train.score import judged_score, known, sign


@dataclass(frozen=True)
class Tune:
    """How long to search, and for what.

    Trials learn from at most ``rows`` training rows, taken evenly over time. On flights (121,000 training rows, 20
    settings, each fitted five ways) half of the rows ranked the settings as all of them did: rank correlation with
    slow, fine fits on every row .46 against .47, at under half the cost; a quarter, .31. Even the fine fits' ranking
    says little of the next month (.24): the luck of the validation window limits the search, not the rows.

    Args:
        trials: How many settings are tried.
        seconds: Start no further trial after this much tuning; the result then depends on the machine's speed.
        metric: What is compared, on the validation rows; the one that suits the label by default, such as
            ``average_precision`` of a yes or no, ``log_loss`` of classes, ``mae`` of a number.
        rows: Most training rows a trial learns from.
        seed: The search's seed; the fit's own if none.
    """

    trials: int = 30
    seconds: float | None = None
    metric: str | None = None
    rows: int = 40_000
    seed: int | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figures at the door."""
        if self.metric is not None:
            known(self.metric)
        if self.trials < 1:
            raise UsageError("tuning needs a trial", found=self.trials, expected="1 or more")
        if self.rows < 1:
            raise UsageError("tuning needs rows", found=self.rows, expected="1 or more")


def search(trainer: Trainer, task: FitTask, tune: Tune, *, storage: Path, progress: Progress) -> tuple[Trial, ...]:
    """Tries settings of a trainer.

    Args:
        trainer: Whose search space is searched.
        task: Training and validation rows, and the metric; its parameters stay as they are.
        tune: How long, and for what.
        storage: File that keeps finished trials: a search that was killed carries on from it, to the same result.
        progress: Told of every trial.

    Returns:
        Trials in order; none where the trainer has nothing to tune. Values are the metric itself, in its own sense.

    Raises:
        TrainingError: Every trial failed.
    """
    space = trainer.search_space()
    if not space:
        return ()
    sampled = _sample(task, tune)
    sense = sign(task.metric)

    def objective(parameters: Mapping[str, Scalar], report: Callable[[int, float], None]) -> float:
        fitted = trainer.fit(
            msgspec.structs.replace(
                sampled,
                parameters={**task.parameters, **parameters},
                report=lambda iteration, value: report(iteration, sense * value),
            )
        )
        return sense * judged_score(task.metric, task, np.asarray(fitted.predict(task.valid_rows)))

    tuner: Tuner = plugins.load("tuner", "optuna")
    found = tuner.tune(
        objective,
        space,
        trials=tune.trials,
        seed=task.seed if tune.seed is None else tune.seed,
        seconds=tune.seconds,
        storage=storage,
        progress=progress,
    )
    trials = tuple(
        msgspec.structs.replace(trial, value=None if trial.value is None else sense * trial.value) for trial in found
    )
    if all(trial.value is None for trial in trials):
        raise TrainingError(
            f"none of {len(trials)} trials could be fitted", do="Fit once without tuning to see the reason"
        )
    return trials


def best(trials: tuple[Trial, ...], metric: str) -> Trial:
    """The trial with the best value; of equals, the first."""
    sense = sign(metric)
    return max((trial for trial in trials if trial.value is not None), key=lambda trial: sense * (trial.value or 0.0))


def _sample(task: FitTask, tune: Tune) -> FitTask:
    # A trial is short, and the journal keeps it when it is done: it leaves no checkpoint.
    task = msgspec.structs.replace(task, checkpoints=None)
    count = len(task.labels)
    if count <= tune.rows:
        return task
    if task.groups is None:
        picks = np.linspace(0, count - 1, tune.rows).astype(np.int64)
    else:  # groups are taken whole, as many as hold about as many rows
        names, starts = np.unique(task.groups, return_index=True)
        some = np.linspace(0, len(names) - 1, max(1, len(names) * tune.rows // count)).astype(np.int64)
        picks = np.flatnonzero(np.isin(task.groups, names[np.argsort(starts)][some]))
    return msgspec.structs.replace(
        task,
        rows=np.ascontiguousarray(task.rows[picks]),
        labels=task.labels[picks],
        weights=None if task.weights is None else task.weights[picks],
        groups=None if task.groups is None else task.groups[picks],
    )
