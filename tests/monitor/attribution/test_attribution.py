"""Reasons behind answers: shares by hand, no word where nothing changed, one that names who gained and who lost."""

from __future__ import annotations

import numpy as np
import pytest

import drivetrain as dt
from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import AttributionSeen, MonitorReport
from drivetrain.evaluate.dependence.moved import moved
from drivetrain.monitor.attribution.judging import attribution_judged, judge_attribution
from drivetrain.monitor.attribution.shift import (
    compare_reasons,
    rank_agreement,
    shares_of,
    strengths,
    threshold_of,
    total_variation,
)

NAMES = ("a", "b", "c", "d", "e")
PLAIN = np.array([4.0, 2.0, 1.0, 1.0, 0.5])
ASKED = dt.Attribution(effect=0.0)


def answers(dice, rows, days, means=PLAIN, luck=0.25):
    """What moved answers, with luck of the day in how strongly each feature does."""
    day = np.sort(dice.integers(0, days, rows))
    daily = dice.lognormal(0, luck, (days, len(means)))
    return dice.exponential(1.0, (rows, len(means))) * means * daily[day], day


def report_of(seen):
    return MonitorReport(
        at=0, endpoint="e", model="m", version=3, since=0, until=7 * DAY, predictions=900, attribution=seen
    )


def test_shares_are_those_of_the_evaluation_and_outputs_add_up():
    dice = np.random.default_rng(1)
    one = dice.normal(size=(50, 6))
    assert dict(zip(NAMES, shares_of(strengths(one, 5)), strict=True)) == pytest.approx(moved(one, NAMES))
    several = dice.normal(size=(50, 3, 6))
    by_hand = sum(np.abs(several[:, at, :-1]) for at in range(3)).mean(axis=0)
    assert shares_of(strengths(several, 5)) == pytest.approx(by_hand / by_hand.sum())
    assert shares_of(np.zeros((3, 2))).tolist() == [0, 0]


def test_two_weak_features_that_change_places_are_no_drift_of_shares():
    then, now = np.array([0.5, 0.3, 0.11, 0.09]), np.array([0.5, 0.3, 0.09, 0.11])
    assert total_variation(now, then) == pytest.approx(0.02)
    strong = np.array([0.3, 0.5, 0.11, 0.09])
    assert rank_agreement(strong, then) < rank_agreement(now, then) < 1


def test_no_word_is_said_of_windows_like_the_evaluation():
    """Two hundred worlds, an evaluation of thirty days and a window of a week in each."""
    dice = np.random.default_rng(2)
    drifted = 0
    for _ in range(200):
        then, days = answers(dice, 900, 30)
        now, mine = answers(dice, 300, 7)
        spread = len(np.unique(mine))
        chance = threshold_of(then, days, rows=300, window_days=spread, asked=ASKED)
        drifted += compare_reasons(now, shares_of(then), NAMES, chance=chance, asked=ASKED, days=spread).drifted
    assert drifted <= 18, "a rate of 5 % over 200 windows: more than 17 in one of 100 runs"


def test_who_gained_and_who_lost_is_named():
    dice = np.random.default_rng(3)
    then, days = answers(dice, 900, 30)
    chance = threshold_of(then, days, rows=300, window_days=7, asked=ASKED)
    now, _ = answers(dice, 300, 7, means=np.array([1.0, 2.0, 4.0, 1.0, 0.5]))
    seen = compare_reasons(now, shares_of(then), NAMES, chance=chance, asked=dt.Attribution(), days=7)
    assert seen.drifted
    assert {one.feature for one in seen.features[:2]} == {"a", "c"}
    ranks = {one.feature: (one.rank, one.rank_then) for one in seen.features}
    assert ranks["c"][0] == ranks["a"][1] == 1
    [finding] = judge_attribution(report_of(seen))
    assert finding.rule == "attribution"
    assert "than on the evaluation of v3: more by c (" in finding.message
    assert "; less by a (" in finding.message
    assert judge_attribution(report_of(None)) == judge_attribution(report_of(AttributionSeen(note="no"))) == []
    assert attribution_judged(report_of(seen), ASKED)
    assert not attribution_judged(report_of(AttributionSeen(note="no")), ASKED)


def test_an_evaluation_of_few_days_tells_nothing_of_chance():
    then, _ = answers(np.random.default_rng(4), 100, 5)
    assert threshold_of(then, np.arange(100) % 5, rows=50, window_days=7, asked=ASKED) is None


@pytest.mark.parametrize("more", [{"rows": 10}, {"effect": 1.0}, {"false_alarm": 0.0}])
def test_a_rule_that_cannot_be_is_refused(more):
    with pytest.raises(ProjectError):
        dt.Attribution(**more)
