"""Every metric of one vector of predictions, with its replicates."""

from __future__ import annotations

from drivetrain.core.records import Comparison, Measure
from drivetrain.core.records.task import TaskKind
from drivetrain.evaluate.bootstrap import Draws, Resamples, difference
from drivetrain.evaluate.metrics import AT_RATE, METRICS, SETS, Metric, defined
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.binary import figures
from drivetrain.evaluate.metrics.ranked import judged
from drivetrain.evaluate.ranking import Floats


def resample(
    labels: Floats, predictions: Floats, resamples: Resamples, *, rate: float | None = None
) -> dict[str, Draws]:
    """Values and replicates of every metric of a yes or no that these rows define.

    Args:
        labels: 0 or 1, shape (n,).
        predictions: Probabilities, shape (n,).
        resamples: Draws over the same rows.
        rate: Base rate at which average precision is told once more, under the name :data:`AT_RATE`.

    Returns:
        Name of the metric → its draws; average precision and ROC AUC are left out where only one class is there.
    """
    answers = Answers(labels, predictions)
    return _draws(figures(answers, resamples, rate=rate), answers.rows, resamples)


def resample_answers(answers: Answers, resamples: Resamples) -> dict[str, Draws]:
    """Values and replicates of every metric that answers of any kind define."""
    count = judged(answers) if answers.task.kind == "ranking" else answers.rows
    return _draws(SETS[answers.task.kind].figures(answers, resamples), count, resamples)


def _draws(found: dict[str, Floats], count: int, resamples: Resamples) -> dict[str, Draws]:
    return {
        name: Draws(float(every[0]), every[1:], count, resamples.blocks)
        for name, every in found.items()
        if defined(float(every[0]))
    }


def measures(draws: dict[str, Draws], level: float, kind: TaskKind = "binary") -> dict[str, Measure]:
    """Each metric with its interval."""
    return {name: every.measure(_metric(name, kind), level) for name, every in draws.items()}


def comparisons(
    ours: dict[str, Draws], theirs: dict[str, Draws], against: str, level: float, kind: TaskKind = "binary"
) -> list[Comparison]:
    """Paired differences of every metric for which one way is better."""
    return [
        Comparison(
            metric=name,
            against=against,
            ours=draws.value,
            theirs=theirs[name].value,
            difference=_difference(difference(draws, theirs[name], metric), level),
        )
        for name, draws in ours.items()
        if name in theirs and name != AT_RATE and (metric := _metric(name, kind)).better in {"greater", "lower"}
    ]


def _metric(name: str, kind: TaskKind) -> Metric:
    known = SETS[kind].named("average_precision" if name == AT_RATE else name)
    return METRICS[name] if known is None else known


def _difference(draws: Draws, level: float) -> Measure:
    bounds = draws.interval("line", level)
    low, high = bounds if bounds is not None else (None, None)
    return Measure(draws.value, low, high, draws.count, level)
