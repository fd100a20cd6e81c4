"""The search: tree-structured Parzen estimator (Bergstra et al., 2011; multivariate as Falkner et al., 2018)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from drivetrain.adapters.optuna.journal import Entry, Journal
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import Space
from drivetrain.core.records.run import Scalar, Trial

Objective = Callable[[Mapping[str, Scalar], Callable[[int, float], None]], float]

_TASK = "tune"
_STARTUP = 5
"""Trials drawn at random before the estimator, and before anything is pruned."""
_WARM_UP = 20
"""Iterations a trial is given before it may be pruned."""
_EVERY = 5
"""Iterations between one chance to be pruned and the next."""


class OptunaTuner:
    """Searches one trial at a time; a trial falls where it lags the median of those before it.

    What a trial tries follows from the seed, its number and the finished trials before it, and from nothing else: a
    search that is killed and begun again with the same storage makes the same trials.
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
    ) -> list[Trial]:
        """Runs trials.

        Args:
            objective: Parameters and a report of (iteration, value so far) → value; greater is better. One that
                raises a :class:`DrivetrainError` counts as failed; anything else ends the search.
            space: What may be varied.
            trials: How many, those in the storage among them.
            seed: Of the search.
            seconds: No further trial begins after this much tuning, earlier sessions' included.
            storage: File of finished trials.
            progress: Told of each.

        Returns:
            The trials in order.
        """
        journal = Journal(storage, space, seed)
        done = journal.read()[:trials]
        progress.start(_TASK, trials)
        if done:
            progress.advance(_TASK, len(done), note=f"{len(done)} trials were there already")
        while len(done) < trials and (seconds is None or sum(entry.trial.seconds for entry in done) < seconds):
            done.append(_attempt(objective, space, seed, done, journal))
            progress.advance(_TASK, note=_words(done))
        progress.finish(_TASK, note=_words(done))
        return [entry.trial for entry in done]


def _attempt(
    objective: Objective, space: Mapping[str, Space], seed: int, done: Sequence[Entry], journal: Journal
) -> Entry:
    import optuna  # noqa: PLC0415 - deferred: it takes a while

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(part) for name, part in space.items()}
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(
            seed=(seed * 1_000_003 + len(done)) % (1 << 32), n_startup_trials=_STARTUP, multivariate=True
        ),
        pruner=optuna.pruners.MedianPruner(_STARTUP, _WARM_UP, _EVERY, n_min_trials=_STARTUP),
    )
    study.add_trials([_past(entry, distributions) for entry in done if entry.trial.state != "failed"])
    trial = study.ask(distributions)
    steps: dict[int, float] = {}

    def report(iteration: int, value: float) -> None:
        steps[iteration] = float(value)
        trial.report(value, iteration)
        if trial.should_prune():
            raise optuna.TrialPruned

    started = time.monotonic()
    value: float | None = None
    state: Literal["complete", "pruned", "failed"] = "complete"
    try:
        value = float(objective(trial.params, report))
    except optuna.TrialPruned:
        state = "pruned"
    except DrivetrainError:
        state = "failed"
    parameters: dict[str, Scalar] = dict(trial.params)
    took = time.monotonic() - started
    return journal.add(Trial(len(done), parameters, value, state, took), steps)


def _past(entry: Entry, distributions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - optuna's FrozenTrial
    import optuna  # noqa: PLC0415 - deferred: it takes a while

    pruned = entry.trial.state == "pruned"
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE,
        value=entry.trial.value,
        params=entry.trial.parameters,
        distributions=dict(distributions),
        intermediate_values=entry.steps,
    )


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
