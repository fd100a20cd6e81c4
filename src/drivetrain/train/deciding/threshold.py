"""From which probability on to act: the threshold at which what becomes of rows costs least."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.records.deciding import ThresholdChoice
from drivetrain.train.deciding.unseen import Unseen, checked

NEVER = math.nextafter(1.0, 2.0)
"""A threshold that no probability reaches."""
OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")
_LEAST = 10


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A threshold that is chosen by what mistakes cost.

    It is chosen on rows that taught no fit, as they are answered when served (calibrated, if that is asked for): of all
    thresholds the one at which a row costs least on average, and of equal ones the highest. What it costs beside acting
    never, always and from one half on is then measured on the test rows, which chose nothing.

    Args:
        cost: Outcome → what a row of it costs: ``false_positive`` (acted on in vain), ``false_negative`` (missed), and
            if it costs to act at all, ``true_positive`` too. In any unit; what is left out costs nothing.
        benefit: Outcome → what a row of it brings, in the same unit: ``true_positive``, ``true_negative``.
        at_most: Greatest share of the rows that may be acted on.

    Example:
        >>> Threshold(cost={"false_positive": 1, "false_negative": 8}).costs["false_negative"]
        8.0
    """

    cost: Mapping[str, float] = field(default_factory=dict)
    benefit: Mapping[str, float] = field(default_factory=dict)
    at_most: float | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figures at the door."""
        for word, table in (("cost", self.cost), ("benefit", self.benefit)):
            for name, value in table.items():
                if name not in OUTCOMES:
                    raise UsageError(
                        f"a threshold's {word} is of an outcome", found=repr(name), expected=", ".join(OUTCOMES)
                    )
                if not 0 <= value < math.inf:
                    raise UsageError(
                        f"the {word} of a {name.replace('_', ' ')} is no amount", found=value, expected="0 or more",
                        do=f"Say what it brings as {'benefit' if word == 'cost' else 'cost'}=",
                    )  # fmt: skip
        if self.at_most is not None and not 0 < self.at_most <= 1:
            raise UsageError("at_most is a share of the rows", found=self.at_most, expected="above 0, at most 1")
        object.__setattr__(self, "cost", dict(self.cost))
        object.__setattr__(self, "benefit", dict(self.benefit))
        costs = self.costs
        if not any(costs.values()):
            raise UsageError(
                "a threshold by cost needs a cost", found="nothing but zeros",
                do='For example: dt.Threshold(cost={"false_positive": 1, "false_negative": 8})',
            )  # fmt: skip
        if costs["false_negative"] <= costs["true_positive"]:
            raise UsageError(
                "to act where it is right must cost less than to miss it, or nobody would ever act",
                found=f"true_positive {costs['true_positive']:g}, false_negative {costs['false_negative']:g}",
                do="Say what a missed one costs, or what one that is caught brings",
            )  # fmt: skip

    @property
    def costs(self) -> dict[str, float]:
        """Outcome → what a row of it costs; below zero where it brings more."""
        return {name: float(self.cost.get(name, 0.0)) - float(self.benefit.get(name, 0.0)) for name in OUTCOMES}


def chosen(threshold: Threshold, unseen: Unseen) -> ThresholdChoice:
    """The threshold that costs least.

    Args:
        threshold: What mistakes cost.
        unseen: Rows that taught no fit, answered as they are when served.

    Raises:
        TrainingError: There are too few rows of one outcome.
    """
    checked(unseen, _LEAST, "cut by cost")
    costs = threshold.costs
    order = np.argsort(-unseen.answers, kind="stable")
    scores, labels = unseen.answers[order], unseen.labels[order]
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    acted = np.concatenate([[0], last + 1])
    right = np.concatenate([[0.0], np.cumsum(labels)[last]])
    total = cost_of(right, acted - right, float(labels.sum()), float((1 - labels).sum()), costs) / len(labels)
    if threshold.at_most is not None:
        total[acted > threshold.at_most * len(labels) + 1e-9] = np.inf
    place = int(np.argmin(total))
    return ThresholdChoice(
        value=_between(scores, last, place),
        costs=costs,
        at_most=threshold.at_most,
        cost=float(total[place]),
        share=float(acted[place] / len(labels)),
        exact=exact(costs),
    )


def cost_of(
    right: np.ndarray, wrong: np.ndarray, positives: float, negatives: float, costs: Mapping[str, float]
) -> np.ndarray:
    """What acting costs altogether.

    Args:
        right: Positives acted on.
        wrong: Negatives acted on.
        positives: How many there are.
        negatives: How many there are.
        costs: Of a row, by outcome.
    """
    return np.asarray(
        right * costs["true_positive"]
        + wrong * costs["false_positive"]
        + (positives - right) * costs["false_negative"]
        + (negatives - wrong) * costs["true_negative"],
        np.float64,
    )


def exact(costs: Mapping[str, float]) -> float:
    """The threshold of exact probabilities: from it on, to act costs no more than not to (Elkan, 2001).

    Example:
        >>> round(exact({"true_positive": 0, "false_positive": 1, "true_negative": 0, "false_negative": 8}), 3)
        0.111
    """
    vain = costs["false_positive"] - costs["true_negative"]
    missed = costs["false_negative"] - costs["true_positive"]
    return min(max(vain / (vain + missed), 0.0), 1.0) if vain + missed > 0 else 0.0


def _between(scores: np.ndarray, last: np.ndarray, place: int) -> float:
    """Halfway from the lowest score acted on to the next one: a bit's difference of an engine decides nothing."""
    if place == 0:
        return NEVER
    lowest = float(scores[last[place - 1]])
    if place == len(last):
        return 0.0
    following = float(scores[last[place - 1] + 1])
    middle = (lowest + following) / 2
    return middle if following < middle else lowest
