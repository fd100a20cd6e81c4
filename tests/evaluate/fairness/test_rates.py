"""Rates and disparities: fairlearn's own figures, and a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.fairness.world import answered

from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.fairness.rates import disparities
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.parity import DISPARITIES
from drivetrain.evaluate.report import Subject

FAIRLEARN = {
    ("demographic_parity_difference", "sex"): 0.11487187467579624,
    ("demographic_parity_ratio", "sex"): 0.5683235867446395,
    ("equalized_odds_difference", "sex"): 0.3549217666864726,
    ("equalized_odds_ratio", "sex"): 0.48931319464234824,
    ("equal_opportunity_difference", "sex"): 0.3549217666864726,
    ("equal_opportunity_ratio", "sex"): 0.48931319464234824,
    ("false_positive_rate_difference", "sex"): 0.005196651760119256,
    ("false_positive_rate_ratio", "sex"): 0.9237447839547718,
    ("predictive_parity_difference", "sex"): 0.15239885427855349,
    ("predictive_parity_ratio", "sex"): 0.8184590450600303,
    ("demographic_parity_difference", "region"): 0.04468808861150936,
    ("demographic_parity_ratio", "region"): 0.8194457064970468,
    ("equalized_odds_difference", "region"): 0.10140454581121028,
    ("equalized_odds_ratio", "region"): 0.7824852817493693,
    ("equal_opportunity_difference", "region"): 0.10140454581121028,
    ("equal_opportunity_ratio", "region"): 0.834500128062836,
    ("false_positive_rate_difference", "region"): 0.015254962102220777,
    ("false_positive_rate_ratio", "region"): 0.7824852817493693,
    ("predictive_parity_difference", "region"): 0.07877693361564331,
    ("predictive_parity_ratio", "region"): 0.9078458512420776,
}
"""What fairlearn 0.15.0 says of ``answered(7, worse=0.5)`` at 0.5; predictive parity is MetricFrame's of precision."""
BY_SEX = {
    "F": {
        "selection_rate": 0.15123456790123457, "true_positive_rate": 0.3400673400673401,
        "false_positive_rate": 0.06814814814814815, "precision": 0.6870748299319728,
    },
    "M": {
        "selection_rate": 0.2661064425770308, "true_positive_rate": 0.6949891067538126,
        "false_positive_rate": 0.0629514963880289, "precision": 0.8394736842105263,
    },
}  # fmt: skip


def codes(values):
    return np.unique(np.asarray(values), return_inverse=True)[1]


@pytest.mark.parametrize("column", ["sex", "region"])
def test_figures_are_those_of_fairlearn(column):
    labels, scores, ats, attributes = answered(7, worse=0.5)
    found = disparities(labels, scores >= 0.5, codes(attributes[column]))
    assert set(found) == set(DISPARITIES)
    for name, value in found.items():
        assert value == pytest.approx(FAIRLEARN[name, column], abs=1e-12), name
    report = fairness_report(
        Answers(predictions=scores, labels=labels, ats=ats, threshold=0.5),
        attributes.select(column),
        [Protected(column)],
        subject=Subject(run_id="r", model="m", data="table:t@1"),
    )
    for each in report.disparities:
        assert each.value.value == pytest.approx(found[each.metric], abs=1e-12)
    if column == "sex":
        told = {group.name: group.rates for group in report.groups}
        for group, rates in BY_SEX.items():
            assert {name: told[group][name].value for name in rates} == pytest.approx(rates, abs=1e-12)


def test_figures_are_those_of_the_fairlearn_that_is_installed():
    metrics = pytest.importorskip("fairlearn.metrics", reason="fairlearn is not installed: pip install fairlearn")
    for seed in range(5):
        labels, scores, _, attributes = answered(seed, days=10, worse=0.3)
        acted, groups = (scores >= 0.4).astype(int), codes(attributes["region"])
        found = disparities(labels, acted, groups)
        for name in ("demographic_parity", "equalized_odds", "equal_opportunity"):
            for kind in ("difference", "ratio"):
                theirs = getattr(metrics, f"{name}_{kind}")(labels, acted, sensitive_features=groups)
                assert found[f"{name}_{kind}"] == pytest.approx(theirs, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), min_size=1, max_size=60))
def test_any_rows_are_counted_as_by_hand(rows):
    labels, acted, groups = (list(column) for column in zip(*rows, strict=True))
    found = disparities(labels, acted, groups)

    def rates(of, among):
        by_group = [[of(row) for row in rows if row[2] == group and among(row)] for group in range(4)]
        return [sum(each) / len(each) for each in by_group if each]

    expected = {
        "demographic_parity": [rates(lambda row: row[1], lambda _: True)],
        "equal_opportunity": [rates(lambda row: row[1], lambda row: row[0])],
        "false_positive_rate": [rates(lambda row: row[1], lambda row: not row[0])],
        "predictive_parity": [rates(lambda row: row[0], lambda row: row[1])],
    }
    expected["equalized_odds"] = expected["equal_opportunity"] + expected["false_positive_rate"]
    for name, several in expected.items():
        known = [each for each in several if each]
        if not known:
            assert f"{name}_difference" not in found
            continue
        assert found[f"{name}_difference"] == pytest.approx(max(max(each) - min(each) for each in known))
        ratios = [min(each) / max(each) for each in known if max(each) > 0]
        assert found.get(f"{name}_ratio") == (pytest.approx(min(ratios)) if ratios else None)
