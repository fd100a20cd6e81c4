import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.evaluate.bootstrap import Bootstrap, Draws, draw
from drivetrain.evaluate.measures import AT_RATE, comparisons, measures, resample
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.metrics import average_precision as point
from evaluate.world import days_of_rows

TOLD = ("average_precision", "roc_auc", "log_loss", "brier", "base_rate", "calibration_gap")


def covered(days: int, rows: int, tries: int, *, by_row: bool = False) -> dict[str, float]:
    """How often the interval holds the value of endlessly many days."""
    labels, predictions, ats = days_of_rows(10_000, 4000, rows)
    every = resample(labels, predictions, draw(ats, Bootstrap(replicates=20)))
    truth = {name: every[name].value for name in TOLD}
    hits = dict.fromkeys(TOLD, 0)
    for seed in range(tries):
        labels, predictions, ats = days_of_rows(seed, days, rows)
        if by_row:
            ats = np.arange(len(ats)) * DAY
        resamples = draw(ats, Bootstrap(replicates=200, seed=seed))
        for name, measure in measures(resample(labels, predictions, resamples), 0.95).items():
            if name in TOLD:
                hits[name] += measure.low <= truth[name] <= measure.high
    return {name: count / tries for name, count in hits.items()}


@pytest.mark.truth
@pytest.mark.parametrize("days", [7, 30])
def test_intervals_by_day_cover_what_they_say(days):
    """Of 300 tries at 95 %, fewer than 91 % would come by chance once in a thousand."""
    for name, share in covered(days, 60, 300).items():
        assert share >= 0.91, f"{name} over {days} days: {share:.3f}"


def test_intervals_by_row_are_far_too_narrow_where_days_share_their_luck():
    shares = covered(30, 60, 60, by_row=True)
    assert shares["base_rate"] < 0.8
    assert shares["log_loss"] < 0.9


def test_values_are_the_plain_metrics_and_replicates_those_of_rows_drawn_by_block():
    labels, predictions, ats = days_of_rows(1, 6, 40)
    resamples = draw(ats, Bootstrap(replicates=30))
    found = resample(labels, predictions, resamples, rate=0.3)
    assert found["average_precision"].value == pytest.approx(point(labels, predictions))
    for at in range(30):
        times = resamples.counts[at][resamples.codes]
        again = np.repeat(np.arange(len(labels)), times)
        assert found["average_precision"].replicates[at] == pytest.approx(point(labels[again], predictions[again]))
        assert found["brier"].replicates[at] == pytest.approx(float(((predictions - labels)[again] ** 2).mean()))
        assert found["base_rate"].replicates[at] == pytest.approx(labels[again].mean())
    assert AT_RATE in found


def test_a_difference_is_paired_so_shared_luck_cancels():
    labels, predictions, ats = days_of_rows(2, 30, 100)
    resamples = draw(ats, Bootstrap())
    worse = np.clip(predictions + np.random.default_rng(0).normal(0, 0.03, len(labels)), 0.001, 0.999)
    ours, theirs = resample(labels, predictions, resamples), resample(labels, worse, resamples)
    gaps = {gap.metric: gap for gap in comparisons(ours, theirs, "champion v1", 0.95)}
    assert set(gaps) == {"average_precision", "roc_auc", "log_loss", "brier", "ece"}
    gap, alone = gaps["roc_auc"], measures(ours, 0.95)["roc_auc"]
    assert gap.difference.value == pytest.approx(gap.ours - gap.theirs)
    assert gap.difference.high - gap.difference.low < (alone.high - alone.low) / 3
    assert gaps["log_loss"].difference.value == pytest.approx(gaps["log_loss"].theirs - gaps["log_loss"].ours)
    same = comparisons(ours, ours, "itself", 0.95)
    assert all(gap.difference.value == gap.difference.low == gap.difference.high == 0.0 for gap in same)


@pytest.mark.truth
def test_paired_differences_cover_what_they_say():
    random = np.random.default_rng(5)

    def gap(seed: int, days: int):
        labels, predictions, ats = days_of_rows(seed, days, 60)
        other = np.clip(predictions + random.normal(0, 0.1, len(labels)), 0.001, 0.999)
        resamples = draw(ats, Bootstrap(replicates=200))
        found = comparisons(resample(labels, predictions, resamples), resample(labels, other, resamples), "other", 0.95)
        return {one.metric: one.difference for one in found}

    truth = {name: one.value for name, one in gap(99_999, 3000).items()}
    tries = [gap(seed, 14) for seed in range(200)]
    for name in ("average_precision", "roc_auc", "log_loss", "brier"):
        share = np.mean([one[name].low <= truth[name] <= one[name].high for one in tries])
        assert share >= 0.9, f"{name}: {share:.3f}"


def test_too_few_days_give_no_interval():
    labels, predictions, ats = days_of_rows(3, 3, 100)
    found = measures(resample(labels, predictions, draw(ats, Bootstrap())), 0.95)
    assert found["roc_auc"].low is None
    assert found["roc_auc"].high is None


def test_intervals_stay_where_the_metric_lives():
    replicates = np.clip(np.random.default_rng(0).normal(0.98, 0.02, 500), 0.9, 0.9999)
    measure = Draws(0.985, replicates, 100, 5).measure(METRICS["roc_auc"], 0.95)
    assert 0 < measure.low < 0.985 < measure.high < 1
    perfect = Draws(1.0, np.ones(500), 100, 5).measure(METRICS["roc_auc"], 0.95)
    assert (perfect.low, perfect.high) == (1.0, 1.0)


def test_replicates_that_can_not_tell_are_left_out():
    replicates = np.where(np.arange(500) < 100, np.nan, np.linspace(0.4, 0.6, 500))
    assert Draws(0.5, replicates, 10, 9).measure(METRICS["roc_auc"], 0.95).low is not None
    replicates[:300] = np.nan
    assert Draws(0.5, replicates, 10, 9).measure(METRICS["roc_auc"], 0.95).low is None


def test_the_same_seed_gives_the_same_interval():
    labels, predictions, ats = days_of_rows(4, 10, 50)
    first, second = (measures(resample(labels, predictions, draw(ats, Bootstrap(seed=7))), 0.95) for _ in range(2))
    assert first == second
