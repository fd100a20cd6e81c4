"""Gates on fairness, and sentences: both name the group, its rate and the interval."""

from __future__ import annotations

import pytest
from tests.evaluate.fairness.test_report import reported

from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.evaluate.fairness.verdict import fairness_outcomes
from drivetrain.evaluate.fairness.wording import how_sure, threshold_words, who, worse_for
from drivetrain.evaluate.gate import Gate


@pytest.fixture(scope="module")
def uneven():
    return reported(0, ("sex", "region"), worse=0.6)


def test_a_gap_that_is_too_wide_is_refused_by_name(uneven):
    gate = Gate.fairness("equalized_odds_difference", at_most=0.1, column="sex")
    (found,) = fairness_outcomes(gate, uneven)
    assert not found.passed
    assert found.gate == "equalized_odds_difference by sex"
    assert found.reason.startswith("No: equalized odds difference 0.")
    assert "sex F" in found.reason
    assert "sex M" in found.reason
    assert "[0." in found.reason
    assert "is above 0.100" in found.reason
    (wide,) = fairness_outcomes(Gate.fairness("equalized_odds_difference", at_most=0.9, column="sex"), uneven)
    assert wide.passed


def test_ratios_are_bounded_from_below_and_surely_judges_the_worse_bound(uneven):
    value = next(each for each in uneven.disparities if each.metric == "demographic_parity_ratio").value
    between = (value.value + value.low) / 2
    for surely in (False, True):
        gate = Gate.fairness("demographic_parity_ratio", at_least=between, column="sex", surely=surely)
        (found,) = fairness_outcomes(gate, uneven)
        assert found.passed is not surely
        assert ("worse bound" in found.reason) == surely


def test_without_a_column_every_way_to_tell_rows_apart_is_judged(uneven):
    found = fairness_outcomes(Gate.fairness("equal_opportunity_difference", at_most=0.2), uneven)
    assert [each.gate.partition(" by ")[2] for each in found] == ["sex", "region", "sex × region"]
    assert [each.passed for each in found] == [False, True, False]


def test_what_was_not_measured_is_refused(uneven):
    gate = Gate.fairness("equalized_odds_difference", at_most=0.1, column="age")
    assert "only by sex, region, sex × region" in fairness_outcomes(gate, uneven)[0].reason
    (none,) = fairness_outcomes(gate, None)
    assert not none.passed
    assert "declares no protected attribute" in none.reason
    small = reported(0, days=4, rows=10)
    (few,) = fairness_outcomes(Gate.fairness("equalized_odds_difference", at_most=0.1, column="sex"), small)
    assert "fewer than two groups are large enough" in few.reason


def test_a_gate_that_bounds_the_wrong_side_is_refused_when_declared():
    with pytest.raises(ProjectError, match="wrong side"):
        Gate.fairness("equalized_odds_ratio", at_most=0.1)
    with pytest.raises(ProjectError, match="wrong side"):
        Gate.fairness("equalized_odds_difference")
    with pytest.raises(UnknownName, match="no measure of fairness"):
        Gate.fairness("kindness", at_most=0.1)


def test_sentences_say_for_whom_it_is_worse_in_hundredths(uneven):
    told = worse_for(uneven)
    assert told[0].startswith("It misses more for sex F: of 100 that come true it catches ")
    assert "for sex M" in told[0]
    assert "with luck taken into account" in told[0]
    assert any(line.startswith("By region no gap is beyond what luck explains") for line in told)
    assert not any("region" in line and line.startswith("It misses") for line in told)
    assert "0.5 or above, which is the one that the model declares" in threshold_words(uneven)
    assert "day of prediction" in how_sure(uneven)


def test_small_groups_and_short_windows_are_said():
    assert any("Too few rows" in line for line in worse_for(reported(0, days=4, rows=10)))
    assert any("too few days" in line for line in worse_for(reported(0, days=3, rows=800, worse=0.5)))


def test_groups_whose_names_hold_a_comma_are_named_whole():
    assert who(("title",), "Smith, Jr") == "title Smith, Jr"
    assert who(("title", "region"), "Smith, Jr, north") == "title × region Smith, Jr, north"
