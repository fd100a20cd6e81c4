"""Searching for parameters: on a sample of the training rows, judged on the validation rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import FitTask, Space, Trainer, Tuner
from drivetrain.core.records.run import Scalar, Trial, Tuning
from drivetrain.train.objectives import sense
from drivetrain.train.tune import Tune
from drivetrain.train.tuning.choosing import choose
from drivetrain.train.tuning.objective import Judging

_REASONS = 3


@dataclass(frozen=True)
class Found:
    """What a search came to."""

    trials: tuple[Trial, ...]
    """In order; values are the objectives themselves, in their own sense."""
    tuning: Tuning
    parameters: Mapping[str, Scalar]
    """Of the trial that was taken."""


def search(trainer: Trainer, task: FitTask, tune: Tune, *, storage: Path, progress: Progress) -> Found | None:
    """Tries settings of a trainer, and takes one.

    Args:
        trainer: Whose search space is searched.
        task: Training and validation rows, and the metric; its parameters stay as they are.
        tune: How long, and for what.
        storage: File that keeps finished trials: a search that was killed carries on from it, to the same result.
        progress: Told of every trial.

    Returns:
        None where the trainer has nothing to tune.

    Raises:
        TrainingError: Every trial failed.
    """
    space = trainer.search_space()
    if not space:
        return None
    objectives = tune.judged_by(task.metric)
    enqueued = tuple(_fitting(each, space) for each in tune.enqueue)
    tuner: Tuner = plugins.load("tuner", "optuna")
    tried = tuner.tune(
        Judging(trainer, _sample(task, tune.rows), objectives, tune.trial_seconds),
        space,
        trials=tune.trials,
        seed=task.seed if tune.seed is None else tune.seed,
        seconds=tune.seconds,
        storage=storage,
        progress=progress,
        objectives=objectives,
        enqueue=enqueued,
    )
    trials = tuple(_in_own_sense(trial, objectives) for trial in tried)
    if all(trial.value is None for trial in trials):
        storage.unlink(missing_ok=True)  # whoever tries again, tries anew
        raise TrainingError(
            f"none of {len(trials)} trials could be fitted",
            found=_reasons(trials) or None,
            do="Mend what is named, or fit once without tuning to see it alone",
        )
    taken, on_front, because = choose(trials, objectives, within=tune.within, then=tune.counts_next)
    tuning = Tuning(
        metric=task.metric,
        objectives=objectives if len(objectives) > 1 else (),
        chosen=taken.number,
        because=because,
        front=tuple(trial.number for trial in on_front),
        enqueued=tuple(dict(each) for each in enqueued),
        enqueued_from=tune.enqueued_from,
    )
    return Found(trials, tuning, taken.parameters)


def _in_own_sense(trial: Trial, objectives: Sequence[str]) -> Trial:
    value = None if trial.value is None else sense(objectives[0]) * trial.value
    values = {name: sense(name) * each for name, each in trial.values.items()}
    return msgspec.structs.replace(trial, value=value, values=values)


def _reasons(trials: Sequence[Trial]) -> str:
    """Why they failed, the commonest first."""
    counted = Counter(trial.reason for trial in trials if trial.state == "failed" and trial.reason)
    told = [f"{reason.rstrip('.')} ({count} of them)" for reason, count in counted.most_common(_REASONS)]
    return "; ".join(told) + (f"; and {len(counted) - _REASONS} other reasons" if len(counted) > _REASONS else "")


def _fitting(parameters: Mapping[str, Scalar], space: Mapping[str, Space]) -> Mapping[str, Scalar]:
    """Those of the parameters that the space has, as it would have them."""
    return {
        name: parameters[name] for name, part in space.items() if name in parameters and _holds(part, parameters[name])
    }


def _holds(space: Space, value: Scalar) -> bool:
    if space.choices:
        return value in space.choices
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return space.low <= value <= space.high and (not space.integer or float(value).is_integer())


def _sample(task: FitTask, most: int) -> FitTask:
    # A trial is short, and the journal keeps it when it is done: it leaves no checkpoint.
    task = msgspec.structs.replace(task, checkpoints=None)
    count = len(task.labels)
    if count <= most:
        return task
    if task.groups is None:
        picks = np.linspace(0, count - 1, most).astype(np.int64)
    else:  # groups are taken whole, as many as hold about as many rows
        names, starts = np.unique(task.groups, return_index=True)
        some = np.linspace(0, len(names) - 1, max(1, len(names) * most // count)).astype(np.int64)
        picks = np.flatnonzero(np.isin(task.groups, names[np.argsort(starts)][some]))
    return msgspec.structs.replace(
        task,
        rows=np.ascontiguousarray(task.rows[picks]),
        labels=task.labels[picks],
        weights=None if task.weights is None else task.weights[picks],
        groups=None if task.groups is None else task.groups[picks],
    )
