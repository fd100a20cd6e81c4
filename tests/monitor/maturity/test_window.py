"""Labels that contradict, repeat, precede their prediction, come late by kind, or never."""

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.records import Task
from drivetrain.monitor.labels import LABEL, join_labels
from drivetrain.monitor.maturity.arrivals import arrivals
from drivetrain.monitor.maturity.sooner import arrival_weights, which_sooner
from drivetrain.monitor.maturity.window import maturity_of
from monitor.world import FEEDBACK, START, logs

NOW = START + 7 * DAY


def predictions(count):
    ats = START + np.sort(np.random.default_rng(0).integers(0, 7 * DAY, count))
    log, _ = logs(np.zeros((count, 1)), np.full(count, 0.5), ats, np.zeros(count))
    return log


def test_what_is_odd_about_labels_is_counted():
    log = predictions(6)
    made = log["at"].to_list()
    told = [
        ("late", "", 0, "e0", 1.0, made[0] + HOUR, 1),
        ("late", "", 0, "e0", 1.0, made[0] + 2 * HOUR, 2),  # again
        ("late", "r0", 0, "", 1.0, made[0] + 3 * HOUR, 3),  # and again, by its request
        ("late", "", 0, "e1", 1.0, made[1] + HOUR, 1),
        ("late", "", 0, "e1", 0.0, made[1] + 5 * HOUR, 2),  # another value
        ("late", "", 0, "e2", 1.0, made[2] - HOUR, 1),  # before its prediction
        ("late", "", 0, "e3", float("nan"), made[3] + HOUR, 1),
        ("late", "", 0, "e9", 1.0, made[3] + HOUR, 1),  # of nobody here
        ("other", "", 0, "e4", 1.0, made[4] + HOUR, 1),
    ]
    feedback = pl.DataFrame(told, schema=FEEDBACK, orient="row")
    found = arrivals(log, feedback, endpoint="late")
    assert found.ages[:2] == pytest.approx([HOUR, HOUR])
    assert np.isnan(found.ages[2:]).all()
    assert (found.repeated, found.contradicted, found.early, found.strange) == (2, 1, 1, 1)
    assert join_labels(log, feedback, endpoint="late")[LABEL].to_list() == [1.0, 0.0, None, None, None, None]


def delayed(seed, count, *, quick=HOUR, slow=HOUR, never=0.0):
    """Predictions, labels as far as they have come, and all of them; positives take ``quick``, the others ``slow``."""
    random = np.random.default_rng(seed)
    ats = START + np.sort(random.integers(0, 7 * DAY, count))
    said = random.beta(2, 3, count)
    labels = (random.random(count) < said).astype(float)
    delay = random.exponential(np.where(labels > 0, quick, slow)).astype(np.int64)
    log, feedback = logs(np.zeros((count, 1)), said, ats, labels)
    feedback = feedback.with_columns(pl.Series("at", ats + delay))
    came = (ats + delay <= NOW) & (random.random(count) >= never)
    return log, feedback.filter(pl.Series(came)), labels


def matured(log, feedback, **more):
    joined = join_labels(log, feedback, endpoint="late")
    labels = joined[LABEL].fill_null(float("nan")).to_numpy()
    return maturity_of(
        log,
        feedback,
        labels,
        log["prediction"].to_numpy(),
        endpoint="late",
        task=Task(),
        now=NOW,
        metrics=["roc_auc"],
        **more,
    )


def test_labels_that_never_come_are_overdue():
    log, feedback, _ = delayed(1, 3_000, never=0.1)
    found = matured(log, feedback)
    assert found.due == pytest.approx(3 * HOUR, rel=0.2)
    old = (NOW - log["at"].to_numpy()) > found.due
    assert found.overdue == pytest.approx(0.1 * old.sum(), rel=0.25)
    assert matured(log, feedback.clear()).overdue == 0
    assert matured(log, feedback.clear(), due=DAY).overdue == int((NOW - log["at"].to_numpy() > DAY).sum())


def test_performance_by_maturity_is_that_of_labels_of_an_age():
    log, feedback, labels = delayed(2, 4_000, quick=HOUR, slow=2 * DAY)
    found = {one.age: one for one in matured(log, feedback).curve}
    assert [found[age].share for age in (HOUR, DAY, 3 * DAY)] == sorted(
        found[age].share for age in (HOUR, DAY, 3 * DAY)
    )
    first = found[HOUR].metrics["base_rate"]
    assert first > 0.9 > found[3 * DAY].metrics["base_rate"] > labels.mean()
    assert "roc_auc" in found[DAY].metrics


def test_positives_that_come_sooner_are_told_and_weighed():
    log, feedback, labels = delayed(3, 6_000, quick=2 * HOUR, slow=36 * HOUR)
    found = matured(log, feedback)
    assert found.sooner.startswith("positives come sooner: half of them within ")
    assert "what is known so far is not like the whole" in found.sooner
    plain = join_labels(log, feedback, endpoint="late")[LABEL].mean()
    told = found.adjusted["base_rate"]
    assert plain - labels.mean() > 0.05
    assert abs(told.value - labels.mean()) < 0.02
    assert told.low < labels.mean() < told.high
    assert "roc_auc" in found.adjusted


def test_labels_that_come_alike_are_not_weighed():
    for seed in range(5):
        found = matured(*delayed([4, seed], 3_000, quick=DAY, slow=DAY)[:2])
        assert (found.sooner, found.adjusted) == ("", {})


def test_weights_make_up_for_what_has_not_come_yet():
    random = np.random.default_rng(5)
    exposure = random.uniform(0, 10, 20_000)
    first = random.random(20_000) < 0.3
    delay = random.exponential(np.where(first, 1.0, 4.0))
    came = delay <= exposure
    weights = arrival_weights(first[came], delay[came], exposure[came])
    share = weights[first[came]].sum() / weights.sum()
    assert share == pytest.approx(first[delay <= 10].mean(), abs=0.02)
    assert abs(first[came].mean() - first[delay <= 10].mean()) > 0.04
    assert (weights == 0).mean() < 0.1
    assert arrival_weights(first[:9], np.full(9, 5.0), np.arange(5.0, 14.0)) is not None


def test_numbers_are_told_apart_at_their_middle():
    random = np.random.default_rng(6)
    labels, exposure = random.normal(5, 1, 4_000), np.full(4_000, 9.0 * DAY)
    ages = random.exponential(np.where(labels > 5, DAY, HOUR))
    words = which_sooner(labels, ages, exposure, Task("regression"))
    assert words.startswith("others come sooner: half of them within ")
    assert "half of the labels above 5" in words
