"""Coverage by simulation: the interval holds the real figure where its assumptions hold, and not where they don't."""

import numpy as np
import pytest

from drivetrain.core.records import Task
from drivetrain.evaluate.metrics import SETS
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.over import Weighted
from drivetrain.monitor.estimate.binary import estimate_binary
from drivetrain.monitor.estimate.calibration import Calibration, expit, margins_of, observe
from drivetrain.monitor.estimate.expected import Ordered
from drivetrain.monitor.estimate.multiclass import estimate_multiclass
from drivetrain.monitor.estimate.multiclass import figures as class_figures

NAMES = ("roc_auc", "average_precision", "log_loss", "brier", "accuracy", "precision", "recall", "f1", "base_rate")


def rows(random, days, a_day, *, mean=0.0, shock=0.0, off=0.0):
    """Scores, labels and days of a model that says what is so, but for ``off`` and what days share."""
    day = np.repeat(np.arange(days), a_day)
    margin = random.normal(mean - 1.0, 1.2, len(day))
    chance = expit(margin + off + random.normal(0, shock, days)[day])
    return expit(margin), (random.random(len(day)) < chance).astype(float), day


def real(said, labels):
    ordered = Ordered(said)
    return {name: float(value[0]) for name, value in ordered.figures(labels[ordered.order][None]).items()}


def covered(seed, times, reference, window, replicates=100):
    """Share of times that each metric's interval holds what came."""
    held = dict.fromkeys(NAMES, 0)
    for at in range(times):
        random = np.random.default_rng([seed, at])
        seen = observe(*rows(random, **reference))
        said, labels, day = rows(random, **window)
        found, came = estimate_binary(seen, said, day, seed=at, replicates=replicates), real(said, labels)
        for name in NAMES:
            held[name] += found[name].low <= came[name] <= found[name].high
    return {name: count / times for name, count in held.items()}


@pytest.mark.truth
@pytest.mark.parametrize(
    ("reference", "window"),
    [
        ({"days": 30, "a_day": 40}, {"days": 7, "a_day": 60}),
        ({"days": 30, "a_day": 40}, {"days": 7, "a_day": 60, "mean": 1.0}),
        ({"days": 30, "a_day": 40, "shock": 0.4}, {"days": 7, "a_day": 60, "shock": 0.4}),
    ],
    ids=["alike", "inputs shifted", "days share"],
)
def test_intervals_hold_what_comes(reference, window):
    shares = covered(1, 100, reference, window)
    # Nine figures of a hundred windows: below .90 would be beyond luck for 95 %.
    assert min(shares.values()) >= 0.9, shares
    assert np.mean(list(shares.values())) >= 0.94, shares


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize("a_day", [30, 300, 3_000])
@pytest.mark.parametrize("mean", [-1.0, 1.0])
@pytest.mark.parametrize("shock", [0.0, 0.3])
def test_intervals_hold_what_comes_at_every_size(a_day, mean, shock):
    window = {"days": 7, "a_day": a_day, "mean": mean, "shock": shock}
    times = 200 if a_day < 3_000 else 60
    shares = covered(2, times, {"days": 40, "a_day": 60, "shock": shock}, window)
    # Nine figures of one window share its luck: their mean is as uncertain as one of them.
    luck = 0.95 * 0.05 / times
    assert np.mean(list(shares.values())) >= 0.95 - 2 * luck**0.5, shares
    assert min(shares.values()) >= 0.95 - 4 * luck**0.5, shares


@pytest.mark.truth
def test_intervals_are_no_wider_than_luck_makes_them():
    random = np.random.default_rng(3)
    seen = observe(*rows(random, 200, 500))
    said, _, day = rows(random, 7, 60)
    ordered = Ordered(said)
    drawn = ordered.figures((random.random((2_000, len(said))) < ordered.scores).astype(float))
    found = estimate_binary(seen, said, day)
    for name in NAMES:
        wide = found[name].high - found[name].low
        assert wide == pytest.approx(4 * drawn[name].std(), rel=0.25), name


def test_concept_drift_is_not_seen_without_labels():
    random = np.random.default_rng(4)
    seen = observe(*rows(random, 40, 200))
    said, labels, day = rows(random, 7, 300, off=1.5)
    found, came = estimate_binary(seen, said, day), real(said, labels)
    assert found["base_rate"].value == pytest.approx(said.mean(), abs=0.03)
    assert came["base_rate"] > found["base_rate"].high + 0.05
    assert came["log_loss"] > found["log_loss"].high


def test_few_days_have_no_interval_and_no_rows_no_figure():
    random = np.random.default_rng(5)
    seen = observe(*rows(random, 3, 200))
    assert isinstance(seen, Calibration)
    said, _, day = rows(random, 7, 50)
    assert estimate_binary(seen, said, day)["roc_auc"].low is None
    assert estimate_binary(seen, said[:0], day[:0]) == {}


@pytest.mark.truth
def test_classes_are_estimated_too_and_intervals_hold_what_comes():
    held: dict[str, int] = {}
    for at in range(40):
        random = np.random.default_rng([6, at])

        def drawn(days, a_day, mean, random=random):
            margin = random.normal([mean, 0.0, -0.5], 1.0, (days * a_day, 3))
            said = np.exp(margin) / np.exp(margin).sum(axis=1, keepdims=True)
            came = (random.random(len(said))[:, None] > said.cumsum(axis=1)).sum(axis=1).clip(0, 2)
            return said, came, np.repeat(np.arange(days), a_day)

        said, came, day = drawn(30, 60, 0.0)
        seen = tuple(observe(said[:, each], (came == each).astype(float), day) for each in range(3))
        said, came, day = drawn(7, 60, 0.8)
        found = estimate_multiclass(seen, said, day, seed=at, replicates=60)
        truth = class_figures(said, (came[None] == np.arange(3)[:, None]).astype(float)[:, None, :])
        for name, one in found.items():
            held[name] = held.get(name, 0) + (one.low <= float(truth[name][0]) <= one.high)
    assert set(held) == {"accuracy", "log_loss", "brier", "balanced_accuracy", "macro_f1", "macro_roc_auc"}
    assert min(held.values()) >= 35, held


def test_figures_of_classes_are_those_of_the_evaluation():
    random = np.random.default_rng(7)
    said = random.dirichlet([2, 1, 1], 500)
    came = random.integers(0, 3, 500)
    theirs = SETS["multiclass"].figures(
        Answers(came.astype(float), said, Task("multiclass", classes=("a", "b", "c"))), Weighted(np.ones(500))
    )
    ours = class_figures(said, (came[None] == np.arange(3)[:, None]).astype(float)[:, None, :])
    for name, value in ours.items():
        assert value[0] == pytest.approx(theirs[name][0]), name
    assert margins_of(np.array([0.0, 1.0])) == pytest.approx([-20.72, 20.72], abs=0.01)
