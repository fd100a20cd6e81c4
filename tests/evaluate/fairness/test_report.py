"""The report: intervals that hold, groups too small to say, entities whose rows repeat, nobody singled out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.evaluate.fairness.world import answered

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.fairness.wording import sure
from drivetrain.evaluate.report import Subject

SUBJECT = Subject(run_id="r", model="late", data="table:training/late@3")
QUICK = Bootstrap(replicates=200)


def reported(seed, columns=("sex",), *, bootstrap=QUICK, threshold=0.5, personal=frozenset(), **world):
    labels, scores, ats, attributes = answered(seed, **world)
    return fairness_report(
        Answers(predictions=scores, labels=labels, ats=ats, threshold=threshold),
        attributes.select(columns),
        [Protected(column) for column in columns],
        subject=SUBJECT,
        personal=personal,
        bootstrap=bootstrap,
    )


def gap(report, metric="equal_opportunity_difference", column="sex"):
    return next(each for each in report.disparities if each.metric == metric and each.column == column)


def test_a_planted_gap_is_found_with_the_group_that_fares_worse():
    report = reported(0, worse=0.6)
    found = gap(report)
    assert (found.low_group, found.high_group) == ("F", "M")
    assert found.value.low > 0.2
    assert sure(found)
    assert sure(gap(report, "equal_opportunity_ratio"))
    assert gap(report, "equal_opportunity_ratio").value.high < 0.8
    assert gap(report, "equalized_odds_difference").rate == "true_positive_rate"


@pytest.mark.truth
def test_the_interval_of_the_widest_gap_holds_as_often_as_it_says():
    """The truth is counted over a great many rows; with three regions alike it is nought."""
    large = reported(99, days=400, rows=500, worse=0.4, shared=0.3, bootstrap=Bootstrap(replicates=20))
    truth = gap(large).value.value
    covered, honest = 0, 0
    for seed in range(150):
        report = reported(seed, ("sex", "region"), days=30, rows=50, worse=0.4, shared=0.3)
        value = gap(report).value
        covered += value.low <= truth <= value.high
        honest += not sure(gap(report, column="region"))
    assert covered >= 0.92 * 150
    assert honest >= 0.92 * 150


@pytest.mark.truth
def test_rates_of_groups_hold_as_often_as_they_say():
    large = reported(98, days=400, rows=500, worse=0.4, shared=0.3, bootstrap=Bootstrap(replicates=20))
    truth = {name: measure.value for name, measure in large.groups[0].rates.items()}
    names = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "calibration_gap")
    covered = dict.fromkeys(names, 0)
    for seed in range(150):
        rates = reported(seed, days=30, rows=50, worse=0.4, shared=0.3).groups[0].rates
        for name in names:
            covered[name] += rates[name].low <= truth[name] <= rates[name].high
    assert all(many >= 0.9 * 150 for many in covered.values()), covered


@pytest.mark.parametrize("known", [True, False])
def test_rows_of_one_entity_share_their_luck(known):
    """Eight rows of each of 150 people on days of their own: taken to stand alone, they look surer than they are."""
    covered = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        person = np.repeat(np.arange(150), 8)
        labels = (random.random(1200) < 0.5).astype(float)
        scores = (random.random(1200) < random.beta(0.5, 0.5, 150)[person]).astype(float)
        ats = random.integers(0, 60, 1200) * DAY
        report = fairness_report(
            Answers(
                predictions=scores,
                labels=labels,
                ats=ats,
                threshold=0.5,
                entities=pl.Series(person) if known else None,
            ),
            pl.DataFrame({"all": ["x"] * 1200}),
            [Protected("all")],
            subject=SUBJECT,
            bootstrap=QUICK,
        )
        rate = report.groups[0].rates["selection_rate"]
        covered += rate.low <= 0.5 <= rate.high
        assert ("each entity" in report.block) == known
    assert (covered >= 90) if known else (covered <= 80)


def test_a_group_too_small_is_counted_and_not_told():
    labels, scores, ats, attributes = answered(3)
    few = attributes.with_columns(sex=pl.when(pl.int_range(pl.len()) % 40 == 0).then(pl.lit("X")).otherwise("sex"))
    report = fairness_report(
        Answers(predictions=scores, labels=labels, ats=ats, threshold=0.5),
        few.select("sex"),
        [Protected("sex")],
        subject=SUBJECT,
    )
    small = next(group for group in report.groups if group.name == "X")
    assert small.rows == 60
    assert small.rates == {}
    assert all("X" not in {each.low_group, each.high_group} for each in report.disparities)
    assert {each.groups for each in report.disparities} == {2}


def test_a_group_without_a_single_error_is_not_told_to_be_perfect():
    labels, scores, ats, attributes = answered(4)
    perfect = np.where((attributes["sex"] == "F").to_numpy(), labels, scores)
    report = fairness_report(
        Answers(predictions=perfect, labels=labels, ats=ats, threshold=0.5),
        attributes.select("sex"),
        [Protected("sex")],
        subject=SUBJECT,
    )
    caught = next(group for group in report.groups if group.name == "F").rates["true_positive_rate"]
    assert caught.value == 1.0
    assert 0.95 < caught.low < 0.995


def test_personal_values_of_few_rows_are_told_among_the_others():
    labels, scores, ats, attributes = answered(3)
    alone = attributes.with_columns(sex=pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("X")).otherwise("sex"))
    report = fairness_report(
        Answers(predictions=scores, labels=labels, ats=ats),
        alone.select("sex"),
        [Protected("sex")],
        subject=SUBJECT,
        personal=frozenset({"sex"}),
    )
    assert "X" not in {group.name for group in report.groups}
    assert sum(group.rows for group in report.groups) == len(labels)


def test_without_a_threshold_as_many_are_acted_on_as_are_positive():
    report = reported(5, threshold=None)
    assert sum(group.selected for group in report.groups) == report.positives
    assert "declares none" in report.chosen


def test_too_few_days_give_figures_without_intervals():
    report = reported(6, days=3, rows=800, worse=0.5)
    assert report.groups[0].rates["true_positive_rate"].low is None
    assert gap(report).value.low is None
    assert not sure(gap(report))


def test_attributes_of_other_rows_are_refused():
    labels, scores, ats, attributes = answered(0)
    with pytest.raises(UsageError, match="do not match the rows"):
        fairness_report(
            Answers(predictions=scores, labels=labels, ats=ats), attributes.head(5), [Protected("sex")], subject=SUBJECT
        )
