"""Which trial is taken: the best; of several objectives, one on the front, by a rule that is said."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.core.records.run import Trial
from drivetrain.train.objectives import LATENCY, SIZE, sense

_LEAST = {LATENCY: "answers fastest", SIZE: "is the smallest"}


def best(trials: Sequence[Trial], metric: str) -> Trial:
    """The trial with the best value; of equals, the first."""
    better = sense(metric)
    return max((trial for trial in trials if trial.value is not None), key=lambda trial: better * (trial.value or 0.0))


def front(trials: Sequence[Trial], objectives: Sequence[str]) -> tuple[Trial, ...]:
    """Trials that no other surpasses in one objective without falling behind in another (Pareto); of equals, all.

    Example:
        >>> tried = [
        ...     Trial(0, {}, 0.70, "complete", 1.0, {"roc_auc": 0.70, "latency": 9.0}),
        ...     Trial(1, {}, 0.69, "complete", 1.0, {"roc_auc": 0.69, "latency": 4.0}),
        ...     Trial(2, {}, 0.68, "complete", 1.0, {"roc_auc": 0.68, "latency": 5.0}),
        ... ]
        >>> [trial.number for trial in front(tried, ["roc_auc", "latency"])]
        [0, 1]
    """
    known = [(trial, _values(trial, objectives)) for trial in trials if trial.value is not None]
    return tuple(trial for trial, ours in known if not any(_surpasses(theirs, ours) for _, theirs in known))


def choose(
    trials: Sequence[Trial], objectives: Sequence[str], *, within: float, then: str
) -> tuple[Trial, tuple[Trial, ...], str]:
    """Takes a trial by the rule: near the best in the metric, and of those the best in what counts next.

    Args:
        trials: At least one of which came to a value.
        objectives: What they were judged by, the metric first.
        within: How far from the best metric is near, as a share of it.
        then: The objective that counts next; the metric itself where nothing does.

    Returns:
        The trial, the front, and a sentence that says why.
    """
    metric = objectives[0]
    top = best(trials, metric)
    done = sum(trial.value is not None for trial in trials)
    assert top.value is not None, "the best has a value"
    if len(objectives) == 1:
        return top, (), f"Trial {top.number + 1} had the best {metric} of {done} that finished: {top.value:.4f}."
    on_front = front(trials, objectives)
    near = [trial for trial in on_front if abs((trial.value or 0.0) - top.value) <= within * abs(top.value)]
    order = [then, *(name for name in objectives[1:] if name != then), metric]
    taken = min(near, key=lambda trial: [-sense(name) * _value(trial, name, metric) for name in order])
    what = _LEAST.get(then, f"has the best {then}")
    told = ", ".join(f"{name} {told_value(name, _value(taken, name, metric))}" for name in objectives)
    beside = (
        "" if taken is top else f", against {told_value(then, _value(top, then, metric))} of trial {top.number + 1}"
    )
    return (
        taken,
        on_front,
        (
            f"Of {done} trials that finished, {len(on_front)} lie on the front and {len(near)} of these within "
            f"{100 * within:g} % of the best {metric}, {top.value:.4f} of trial {top.number + 1}; of those, trial "
            f"{taken.number + 1} {what}: {told}{beside}."
        ),
    )


def told_value(objective: str, value: float) -> str:
    """A value as a person reads it.

    Example:
        >>> told_value("latency", 12.345), told_value("size", 1_234_567), told_value("roc_auc", 0.71)
        ('12.3 µs', '1,235 kB', '0.7100')
    """
    if objective == LATENCY:
        return f"{value:,.1f} µs"
    return f"{value / 1000:,.0f} kB" if objective == SIZE else f"{value:.4f}"


def _value(trial: Trial, name: str, metric: str) -> float:
    return trial.values.get(name, trial.value or 0.0) if name != metric else trial.value or 0.0


def _values(trial: Trial, objectives: Sequence[str]) -> tuple[float, ...]:
    return tuple(sense(name) * _value(trial, name, objectives[0]) for name in objectives)


def _surpasses(theirs: tuple[float, ...], ours: tuple[float, ...]) -> bool:
    return theirs != ours and all(one >= other for one, other in zip(theirs, ours, strict=True))
