"""The worth of answers: by hand, its interval by simulation, and rules that cry where less comes in, and only there."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import drivetrain as dt
from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Measure, MonitorReport, WorthSeen
from drivetrain.monitor.worth.measuring import judge_worth, mean_worth, worth_judged, worth_of
from drivetrain.monitor.worth.spec import of_costs

COUPON = pl.when("acted").then(pl.col("label") * 40 - 5).otherwise(0)


def week(dice, *, mean=2.0, days=7, a_day=200):
    """Worth of single answers, with luck of the day, of which some have no label yet."""
    day = np.repeat(np.arange(days), a_day)
    worth = dice.exponential(1.0, days * a_day) * 3 + dice.normal(mean - 3, 0.3, days)[day]
    worth[dice.random(len(worth)) < 0.3] = np.nan
    return worth, day * DAY


def report_of(now, then=None, name="value"):
    seen = WorthSeen(name=name, unit="EUR", per=1_000, now=now, then=then)
    return MonitorReport(at=0, endpoint="e", model="m", version=3, since=0, until=7 * DAY, predictions=900, worth=seen)


def test_each_row_is_worth_what_the_expression_or_the_costs_say():
    rows = pl.DataFrame(
        {"prediction": [0.9, 0.8, 0.1, 0.2, 0.9], "label": [1.0, 0.0, 1.0, 0.0, None], "amount": [2.0, 1, 1, 1, 1]}
    )
    rows = rows.with_columns(acted=pl.col("prediction") >= 0.5)
    assert worth_of(rows, COUPON, "v")[:4].tolist() == [35.0, -5.0, 0.0, 0.0]
    assert worth_of(rows, pl.col("label") * pl.col("amount"), "v")[:4].tolist() == [2.0, 0.0, 1.0, 0.0]
    costs = dt.Threshold(cost={"false_positive": 1, "false_negative": 8}, benefit={"true_positive": 5}).costs
    assert worth_of(rows, of_costs(costs), "v")[:4].tolist() == [5.0, -1.0, -8.0, 0.0]
    assert np.isnan(worth_of(rows, of_costs(costs), "v")[4]), "nobody knows yet"
    for odd in (pl.col("label").sum().filter(pl.lit(value=False)), pl.col("nothing"), pl.col("label").head(2)):
        with pytest.raises(ProjectError, match="business metric 'v'"):
            worth_of(rows, odd, "v")


def test_what_goes_wrong_in_an_expression_is_told_without_values():
    rows = pl.DataFrame({"name": ["Jane Doe", "7"], "label": [1.0, 0.0]})

    def odd(value):
        raise KeyError(f"no {value}")

    for value, said in (
        (pl.col("name").cast(pl.Float64), "InvalidOperationError"),
        (pl.col("name").map_elements(odd, return_dtype=pl.Float64), "KeyError"),
        (pl.col("label") * pl.col("price"), "no column price"),
    ):
        with pytest.raises(ProjectError, match=f"business metric 'v' can't be computed.*{said}") as caught:
            worth_of(rows, value, "v")
        assert "Jane" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_the_mean_is_that_of_known_rows_and_its_interval_holds_it():
    dice = np.random.default_rng(1)
    worth, ats = week(dice)
    found = mean_worth(worth, ats, 1_000)
    assert found.value == pytest.approx(np.nanmean(worth) * 1_000)
    assert found.count == np.isfinite(worth).sum()
    inside = sum((one := mean_worth(*week(dice), 1_000)).low <= 2_000 <= one.high for _ in range(200))
    assert inside >= 184, "95 % of weeks; less luck of this simulation"
    assert mean_worth(np.full(3, np.nan), np.zeros(3, np.int64), 1) is None
    assert mean_worth(worth[:10], ats[:10], 1).low is None, "a day alone says nothing of days"


def test_nothing_is_said_of_weeks_like_the_evaluation_and_something_where_less_comes_in():
    dice = np.random.default_rng(2)
    then = mean_worth(*week(dice, days=30), 1_000)
    asked = dt.Business(unit="EUR", drop=0.0)
    calm = sum(bool(judge_worth(report_of(mean_worth(*week(dice), 1_000), then), asked)) for _ in range(200))
    assert calm <= 10, "a fall is told from its lower bound: one window in forty, and the evaluation's own luck"
    fallen = mean_worth(*week(dice, mean=0.8), 1_000)
    [finding] = judge_worth(report_of(fallen, then), dt.Business(unit="EUR", drop=200))
    assert finding.rule == "business.value"
    assert finding.severity == "critical"
    assert "e: value of 1,000 predictions was " in finding.message
    assert "surely more than 200 EUR less than the " in finding.message
    assert "of v3's evaluation" in finding.message
    assert judge_worth(report_of(fallen, then), dt.Business()) == []


def test_a_floor_needs_no_evaluation_and_few_answers_say_nothing():
    low = Measure(90.0, 80.0, 100.0, 500)
    asked = dt.Business(at_least=120, unit="EUR")
    assert "where 120 EUR is the least allowed" in judge_worth(report_of(low), asked)[0].message
    assert judge_worth(report_of(low), dt.Business(at_least=95)) == []
    few = Measure(90.0, 80.0, 100.0, 50)
    assert judge_worth(report_of(few), asked) == []
    assert worth_judged("value", report_of(low), asked)
    assert not worth_judged("value", report_of(few), asked)
    assert worth_judged("other", report_of(few), asked), "it is asked for no more"


@pytest.mark.parametrize("more", [{"name": "a.b"}, {"per": 0}, {"drop": -1.0}, {"least": 0}])
def test_a_metric_that_cannot_be_is_refused(more):
    with pytest.raises(ProjectError):
        dt.Business(**more)
    assert dt.Business(value=COUPON).digest({}) != dt.Business(value=COUPON * 2).digest({})
