"""The threshold that costs least, against every cut that there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Task
from drivetrain.train.deciding.threshold import NEVER, OUTCOMES, Threshold, chosen, exact
from drivetrain.train.deciding.unseen import Unseen
from train.deciding.worlds import over_days, yes_or_no

amounts = st.integers(0, 9)


def brute(threshold: Threshold, labels: list[float], scores: list[float]) -> float:
    """The least mean cost of all cuts, row by row."""
    best = math.inf
    for cut in [*scores, 2.0]:
        acts = [score >= cut for score in scores]
        if threshold.at_most is not None and sum(acts) > threshold.at_most * len(scores) + 1e-9:
            continue
        whole = 0.0
        for act, label in zip(acts, labels, strict=True):
            name = ("true_" if act == bool(label) else "false_") + ("positive" if act else "negative")
            whole += threshold.cost.get(name, 0) - threshold.benefit.get(name, 0)
        best = min(best, whole / len(scores))
    return best


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=20, max_size=60),
    costs=st.tuples(amounts, amounts, amounts, amounts),
    most=st.sampled_from([None, 0.05, 0.3, 1.0]),
)
def test_no_cut_costs_less(rows: list[tuple[bool, int]], costs: tuple[int, ...], most: float | None) -> None:
    labels, scores = [float(label) for label, _ in rows], [score / 12 for _, score in rows]
    labels[:10], labels[10:20] = [1.0] * 10, [0.0] * 10
    vain, missed, brings, left = costs
    asked = Threshold(
        cost={"false_positive": vain, "false_negative": missed + 1},
        benefit={"true_positive": brings, "true_negative": left},
        at_most=most,
    )
    unseen = Unseen(np.array(labels), np.array(scores), over_days(len(rows)), Task("binary"), "these rows")
    found = chosen(asked, unseen)
    least = brute(asked, labels, scores)
    assert found.cost == pytest.approx(least)
    acts = np.array(scores) >= found.value
    assert acts.mean() == found.share
    again = Threshold(cost=asked.cost, benefit=asked.benefit)
    whole = dict.fromkeys(OUTCOMES, 0.0)
    for act, label in zip(acts, labels, strict=True):
        whole[("true_" if act == bool(label) else "false_") + ("positive" if act else "negative")] += 1
    assert sum(again.costs[name] * count for name, count in whole.items()) / len(rows) == pytest.approx(least)
    if most is not None:
        assert found.share <= most


def test_of_exact_probabilities_it_is_elkans() -> None:
    rows = yes_or_no(60_000)
    found = chosen(Threshold(cost={"false_positive": 1, "false_negative": 8}), rows)
    assert found.exact == pytest.approx(1 / 9)
    assert found.value == pytest.approx(found.exact, abs=0.03)
    assert exact({"true_positive": -5, "false_positive": 1, "true_negative": 0, "false_negative": 0}) == pytest.approx(
        1 / 6
    )


def test_never_and_always() -> None:
    rows = yes_or_no(400)
    never = chosen(
        Threshold(cost={"false_positive": 1e6, "false_negative": 1}), rows._replace(answers=np.full(400, 0.4))
    )
    assert never.value == NEVER > 1
    assert never.share == 0
    lowest = np.where(rows.answers == rows.answers.min(), 1.0, rows.labels)
    always = chosen(Threshold(cost={"false_positive": 1, "false_negative": 1e6}), rows._replace(labels=lowest))
    assert always.share == 1
    assert always.value == 0


def test_it_lies_between_two_answers() -> None:
    scores = np.repeat([0.2, 0.8], 20)
    unseen = Unseen((scores > 0.5).astype(float), scores, over_days(40), Task("binary"), "these rows")
    assert chosen(Threshold(cost={"false_positive": 1, "false_negative": 1}), unseen).value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"cost": {"false_positive": 0, "false_negative": 0}}, "needs a cost; found nothing but zeros"),
        ({}, "needs a cost"),
        ({"cost": {"false_positive": -1}}, "the cost of a false positive is no amount; found -1; expected 0 or more"),
        ({"cost": {"false_negative": math.inf}}, "no amount; found inf"),
        ({"benefit": {"false_negative": math.nan}}, "no amount; found nan"),
        ({"cost": {"missed": 3}}, "is of an outcome; found 'missed'; expected true_positive"),
        ({"cost": {"false_positive": 1}}, "or nobody would ever act"),
        ({"cost": {"false_negative": 1}, "at_most": 0}, "at_most is a share of the rows; found 0"),
        ({"cost": {"false_negative": 1}, "at_most": 5}, "at_most is a share of the rows; found 5"),
    ],
)
def test_bad_input_is_named(words: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Threshold(**words)  # type: ignore[arg-type]


def test_too_few_of_one_outcome() -> None:
    rows = yes_or_no(100)
    with pytest.raises(TrainingError, match="found 0 yes among 100"):
        chosen(Threshold(cost={"false_negative": 1}), rows._replace(labels=np.zeros(100)))
