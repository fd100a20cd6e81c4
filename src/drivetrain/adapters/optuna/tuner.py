"""The search: tree-structured Parzen estimator (Bergstra et al., 2011; multivariate as Falkner et al., 2018)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from drivetrain.adapters.optuna.journal import Entry, Journal
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import Space
from drivetrain.core.records.run import Scalar, Trial

Objective = Callable[[Mapping[str, Scalar], Callable[[int, float], None]], float | Sequence[float]]

_TASK = "tune"
_STARTUP = 5
"""Trials drawn at random before the estimator, and before anything is pruned."""
_WARM_UP = 20
"""Iterations a trial is given before it may be pruned."""
_EVERY = 5
"""Iterations between one chance to be pruned and the next."""
_LONGEST = 300
"""Characters of a reason that are kept."""
_DEATHS = 3
"""Times a process may die in the middle of a trial before the trial is taken for the reason."""


class OptunaTuner:
    """Searches one trial at a time; a trial falls where it lags the median of those before it.

    What a trial tries follows from the seed, its number and the finished trials before it, and from nothing else: a
    search that is killed and begun again with the same storage makes the same trials. Of several objectives the
    estimator is that of Ozaki et al. (2020), and no trial falls early: Optuna has no pruning of several.
    """

    def tune(
        self,
        objective: Objective,
        space: Mapping[str, Space],
        *,
        trials: int,
        seed: int,
        seconds: float | None,
        storage: Path | None,
        progress: Progress,
        objectives: Sequence[str] = (),
        enqueue: Sequence[Mapping[str, Scalar]] = (),
    ) -> list[Trial]:
        """Runs trials.

        Args:
            objective: Parameters and a report of (iteration, value so far) → value, or values; greater is better. One
                that raises an ordinary exception counts as failed, that being its reason.
            space: What may be varied.
            trials: How many, those in the storage among them.
            seed: Of the search.
            seconds: No further trial begins after this much tuning, earlier sessions' included.
            storage: File of finished trials.
            progress: Told of each.
            objectives: Names of the values, where there are several.
            enqueue: Parameters that are tried first, in order; what is left out of one is drawn.

        Raises:
            StoreError: The storage is damaged or can't be written.
        """
        asked = _Asked(space, seed, tuple(objectives) if len(objectives) > 1 else (), tuple(enqueue))
        journal = Journal(storage, space, seed, asked.objectives, asked.enqueue)
        done = journal.read()[:trials]
        progress.start(_TASK, trials)
        if done:
            progress.advance(_TASK, len(done), note=f"{len(done)} trials were there already")
        while len(done) < trials and (seconds is None or sum(entry.trial.seconds for entry in done) < seconds):
            try:
                done.append(_attempt(objective, asked, done, journal))
            finally:
                journal.end()
            progress.advance(_TASK, note=_words(done))
        progress.finish(_TASK, note=_words(done))
        return [entry.trial for entry in done]


class _Asked(NamedTuple):
    """What is searched."""

    space: Mapping[str, Space]
    seed: int
    objectives: tuple[str, ...]
    """Empty where there is one."""
    enqueue: tuple[Mapping[str, Scalar], ...]


def _attempt(objective: Objective, asked: _Asked, done: Sequence[Entry], journal: Journal) -> Entry:
    import optuna  # noqa: PLC0415 - deferred: it takes a while

    number = len(done)
    study, trial = _next(asked, done)
    del study  # the trial holds what it needs of it
    steps: dict[int, float] = {}

    def report(iteration: int, value: float) -> None:
        if asked.objectives:
            return
        steps[iteration] = float(value)
        trial.report(value, iteration)
        if trial.should_prune():
            raise optuna.TrialPruned

    died = journal.begin(number)
    started = time.monotonic()
    values: tuple[float, ...] = ()
    state: Literal["complete", "pruned", "failed"] = "complete"
    reason = ""
    try:
        if died >= _DEATHS:
            state, reason = "failed", f"the process died {died} times in the middle of it; it may need too much memory"
        else:
            said = objective(trial.params, report)
            values = tuple(map(float, said)) if isinstance(said, Sequence) else (float(said),)
    except optuna.TrialPruned:
        state = "pruned"
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises is a reason to try other parameters
        state, reason = "failed", _reason(error)
    made = Trial(
        number,
        dict(trial.params),
        values[0] if values else None,
        state,
        time.monotonic() - started,
        dict(zip(asked.objectives, values, strict=True)) if values and asked.objectives else {},
        reason,
        number < len(asked.enqueue),
    )
    return journal.add(made, steps)


def _next(asked: _Asked, done: Sequence[Entry]) -> tuple[Any, Any]:
    """The study as it stands, and the trial that follows from it."""
    import optuna  # noqa: PLC0415 - deferred: it takes a while

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(part) for name, part in asked.space.items()}
    study = optuna.create_study(
        directions=["maximize"] * max(1, len(asked.objectives)),
        sampler=optuna.samplers.TPESampler(
            seed=(asked.seed * 1_000_003 + len(done)) % (1 << 32), n_startup_trials=_STARTUP, multivariate=True
        ),
        pruner=optuna.pruners.MedianPruner(_STARTUP, _WARM_UP, _EVERY, n_min_trials=_STARTUP),
    )
    study.add_trials([_past(entry, distributions) for entry in done if entry.trial.state != "failed"])
    if len(done) < len(asked.enqueue):
        study.enqueue_trial(dict(asked.enqueue[len(done)]))
    return study, study.ask(distributions)


def _past(entry: Entry, distributions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - optuna's FrozenTrial
    import optuna  # noqa: PLC0415 - deferred: it takes a while

    pruned = entry.trial.state == "pruned"
    several = list(entry.trial.values.values())
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE,
        **({"values": several} if several else {"value": entry.trial.value}),
        params=entry.trial.parameters,
        distributions=dict(distributions),
        intermediate_values=entry.steps,
    )


def _reason(error: Exception) -> str:
    """What was raised, a line."""
    if isinstance(error, DrivetrainError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory" + (f": {error}" if str(error) else "")
    told = " ".join(str(error).split())[:_LONGEST]
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def _distribution(space: Space) -> Any:  # noqa: ANN401 - optuna's BaseDistribution
    from optuna import distributions  # noqa: PLC0415 - deferred: it takes a while

    if space.choices:
        return distributions.CategoricalDistribution(space.choices)
    if space.integer:
        return distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return distributions.FloatDistribution(space.low, space.high, log=space.log)


def _words(done: Sequence[Entry]) -> str:
    values = [abs(entry.trial.value) for entry in done if entry.trial.value is not None]
    if not values:
        return "no trial finished yet"
    best = max((entry for entry in done if entry.trial.value is not None), key=lambda entry: entry.trial.value or 0.0)
    return f"best {abs(best.trial.value or 0.0):.4f} in trial {best.trial.number + 1}"
