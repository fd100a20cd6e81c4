"""Thresholds by group: fairlearn's own rates, and that rates come out alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluate.fairness.world import answered

from drivetrain.core.errors import UsageError
from drivetrain.evaluate.bias.groups import Grouping
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.fairness.luck import Luck
from drivetrain.evaluate.fairness.mitigation import apart_before_and_after, costs
from drivetrain.evaluate.fairness.thresholds import CONSTRAINTS, GroupRule, learn_thresholds

FAIRLEARN = {
    "demographic_parity": (
        (0.261, 0.5061765601217657, 0.1531223135464231),
        (0.261, 0.6892837271660802, 0.05812876081606732),
        0.8129297242711626,
    ),
    "equal_opportunity": (
        (0.3776337448559671, 0.66, 0.2533925925925926),
        (0.2458711484593838, 0.66, 0.04970485036119711),
        0.8015650000000001,
    ),
    "equalized_odds": (
        (0.16553497942386833, 0.3735690235690236, 0.074),
        (0.17029004329004327, 0.3735690235690236, 0.074),
        0.7519842424242424,
    ),
}
"""fairlearn 0.15.0's ThresholdOptimizer on ``answered(7, worse=0.5)``, accuracy, grid 1000: of F and of M the share
that is acted on, caught, and wrongly acted on; and the accuracy."""


def learned(labels, scores, attributes, constraint):
    codes = (attributes["sex"] == "M").cast(int).to_numpy()
    rules = learn_thresholds(labels, scores, codes, ["F", "M"], constraint=constraint, threshold=0.5)
    acted = np.zeros(len(labels))
    for at, rule in enumerate(rules):
        acted[codes == at] = rule.acts(scores[codes == at])
    rates = [
        (acted[codes == at].mean(), *(acted[(codes == at) & (labels == label)].mean() for label in (1, 0)))
        for at in (0, 1)
    ]
    return rates, (labels * acted + (1 - labels) * (1 - acted)).mean(), acted, codes


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_rates_are_those_of_fairlearn(constraint):
    labels, scores, _, attributes = answered(7, worse=0.5)
    rates, accuracy, *_ = learned(labels, scores, attributes, constraint)
    *theirs, their_accuracy = FAIRLEARN[constraint]
    for ours, expected in zip(rates, theirs, strict=True):
        assert ours == pytest.approx(expected, abs=1e-9)
    assert accuracy == pytest.approx(their_accuracy, abs=1e-9)


@given(st.integers(0, 10_000), st.sampled_from(CONSTRAINTS), st.floats(0, 0.9))
@settings(max_examples=40, deadline=None)
def test_what_is_asked_for_comes_out_alike(seed, constraint, worse):
    labels, scores, _, attributes = answered(seed, days=20, rows=60, worse=worse)
    (first, second), *_ = learned(labels, scores.round(2), attributes, constraint)
    place = {"demographic_parity": [0], "equal_opportunity": [1], "equalized_odds": [1, 2]}[constraint]
    for at in place:
        assert first[at] == pytest.approx(second[at], abs=1e-9)


def test_a_group_too_small_keeps_the_models_threshold():
    labels, scores, _, _ = answered(0)
    codes = np.zeros(len(labels), int)
    codes[:1000], codes[1000:1050] = 1, 2
    rules = learn_thresholds(labels, scores, codes, ["a", "b", "c"], constraint="equalized_odds", threshold=0.4)
    assert [each.own for each in rules] == [True, True, False]
    assert rules[2] == GroupRule(group="c", thresholds=((0.4, 1.0),), own=False)
    with pytest.raises(UsageError, match="two groups that are large enough; found 1"):
        learn_thresholds(labels, scores, np.minimum(codes, 0), ["a", "b"], constraint="equalized_odds", threshold=0.4)


def test_what_it_costs_is_paired_and_what_it_brings_is_seen_on_rows_it_did_not_learn_from():
    labels, scores, _, attributes = answered(1, days=60, worse=0.6)
    codes = (attributes["sex"] == "M").cast(int).to_numpy()
    rules = learn_thresholds(labels, scores, codes, ["F", "M"], constraint="equal_opportunity", threshold=0.5)
    labels, scores, ats, attributes = answered(2, days=60, worse=0.6)
    codes = (attributes["sex"] == "M").cast(int).to_numpy()
    before, after = (scores >= 0.5).astype(float), np.zeros(len(labels))
    for at, rule in enumerate(rules):
        after[codes == at] = rule.acts(scores[codes == at])
    luck = Luck(ats, Bootstrap())
    grouping = Grouping(("sex",), (("F",), ("M",)), codes)
    gaps = {each.name: each for each in apart_before_and_after(labels, scores, (before, after), grouping, luck)}
    caught = gaps["equal_opportunity_difference"]
    assert caught.before.low > 0.2
    assert caught.after.value < 0.08
    accuracy = costs(labels, (before, after), luck)[0]
    assert accuracy.change.value == pytest.approx(accuracy.after.value - accuracy.before.value)
    assert accuracy.change.high < 0  # it costs, and surely so
    alone = accuracy.after.high - accuracy.after.low
    assert accuracy.change.high - accuracy.change.low < 1.5 * alone
    same = costs(labels, (before, before), luck)
    assert [each.change.value for each in same] == [0.0, 0.0, 0.0]
    assert same[0].before.value == pytest.approx((labels == before).mean())
