"""What a search may begin with: the settings that an earlier one found best; and how one is made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from drivetrain.core.records import Run
from drivetrain.core.records.run import Scalar
from drivetrain.train.objectives import LATENCY, sense
from drivetrain.train.tune import Tune

MOST = 3
"""Settings that are taken over at most; never more than half of the trials."""


def warmed(tune: Tune | None, run: Run | None) -> Tune | None:
    """A search that begins with what another run found best, where that is asked for.

    Which settings those are is part of what the new run is: it is recorded, and another champion gives another run.

    Args:
        tune: The search as declared.
        run: The champion's run; none where there is no champion.
    """
    if tune is None or not tune.warm or run is None:
        return tune
    taken = best_settings(run, max(1, min(MOST, tune.trials // 2)))
    return replace(tune, enqueue=(*tune.enqueue, *taken), enqueued_from=run.ref if taken else "")


def best_settings(run: Run, most: int) -> tuple[Mapping[str, Scalar], ...]:
    """The settings of a run's best trials, the one that it took first; its own parameters where it tried none."""
    if run.tuning is None or not run.trials:
        return (run.parameters,) if run.parameters else ()
    better, chosen = sense(run.tuning.metric), run.tuning.chosen
    known = [trial for trial in run.trials if trial.value is not None]
    ranked = sorted(known, key=lambda trial: (trial.number != chosen, -better * (trial.value or 0.0)))
    return tuple(trial.parameters for trial in ranked[:most])


def again(tune: Tune | None, run: Run) -> tuple[Tune | None, str]:
    """The search that makes a run's model again, and what is to be said of it.

    What was enqueued then is enqueued again. Where a clock had a say (a budget of time, or trials compared by their
    latency) no second search would go the same way: the parameters that it took are taken as they are on record.
    """
    tuning = run.tuning
    if tune is None or tuning is None:
        return tune, ""
    if tune.seconds is not None or tune.trial_seconds is not None or LATENCY in tuning.objectives:
        taken = next(trial.parameters for trial in run.trials if trial.number == tuning.chosen)
        bare = replace(tune, trials=1, seconds=None, trial_seconds=None, objectives=(tuning.metric,), then=None)
        return replace(
            bare, enqueue=(taken,), enqueued_from=run.ref
        ), "A clock had a say in its tuning, which no second search repeats: the trial it took is on record."
    return replace(tune, enqueue=tuning.enqueued, enqueued_from=tuning.enqueued_from), ""
