"""Answers that say how sure they are: intervals and sets that hold the outcome as often as asked.

Split conformal prediction needs a vector of errors and one place in its order. MAPIE, which does it well for
scikit-learn estimators, wants one to wrap; here a model is whatever an engine serves, and what serves the interval is a
number in a record. So it is ours, and MAPIE's answers are its golden values in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.records.deciding import Reach, ReachChoice
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.train.deciding.unseen import Unseen

YES_OR_NO = ("no", "yes")
"""What the classes of a yes or no are called in a set."""
_TINY = 1e-300
_KINDS: tuple[TaskKind, ...] = ("binary", "multiclass", "regression", "quantile")


@dataclass(frozen=True, kw_only=True)
class Conformal:
    """Intervals of numbers, or sets of classes, that hold the outcome in a given share of all cases.

    Of n rows that taught no fit, the error that a share ``coverage`` of n + 1 stays within is taken (Vovk et al., 2005;
    Lei et al., 2018): of a number its distance from the answer; of two quantiles, how far outside them it lay (Romano
    et al., 2019); of classes, how unlikely the one that came was said to be (Sadinle et al., 2019). Whatever the model,
    the share holds for rows that are exchangeable with those. Rows to come are not: so it is measured on the test rows,
    by month and slice, and the card says where it was missed. No set is empty: where no class is likely enough, the one
    nearest to it is named.

    Args:
        coverage: The share of outcomes that are to lie inside.
        each_class: Whether it holds within each class, not only over all: where one class is rare, sets that never name
            it would do else.

    Example:
        >>> Conformal(coverage=0.9).coverage
        0.9
    """

    coverage: float = 0.9
    each_class: bool = False

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figure at the door."""
        if not 0.0 < self.coverage < 1.0:
            raise UsageError("coverage is a share of the outcomes", found=self.coverage, expected="above 0, below 1")

    def check(self, kind: TaskKind) -> None:
        """Refuses kinds of answers that have neither interval nor set.

        Raises:
            UsageError: They have none; or classes are asked for where there are none.
        """
        if kind not in _KINDS:
            raise UsageError(
                f"answers have neither intervals nor sets where the label is {KINDS[kind]}",
                expected="; ".join(KINDS[each] for each in _KINDS), do="Leave conformal= out",
            )  # fmt: skip
        if self.each_class and kind not in {"binary", "multiclass"}:
            raise UsageError(f"each_class is of classes, and the label is {KINDS[kind]}", do="Leave it out")


def reached(conformal: Conformal, unseen: Unseen) -> tuple[Reach, ReachChoice]:
    """What makes answers intervals or sets.

    Args:
        conformal: What is asked for.
        unseen: Rows that taught neither the fit nor the calibration that answered them.

    Raises:
        TrainingError: There are too few rows for the coverage.
        UsageError: Of quantiles, there are not two.
    """
    kind, labels, said = unseen.task.kind, unseen.labels, unseen.answers
    share = conformal.coverage
    if kind == "regression":
        reach = Reach(method="residual", coverage=share, reach=_rank(np.abs(labels - said), share, unseen.of))
        return reach, ReachChoice(coverage=share, rows={"": len(labels)})
    if kind == "quantile":
        low, high = _pair(unseen.task.levels, share)
        outside = np.maximum(said[:, low] - labels, labels - said[:, high])
        reach = Reach(method="quantile", coverage=share, reach=_rank(outside, share, unseen.of), between=(low, high))
        return reach, ReachChoice(coverage=share, rows={"": len(labels)})
    chances = by_class(said)
    names = unseen.task.classes or YES_OR_NO
    own = chances[np.arange(len(labels)), labels.astype(np.intp)]
    if not conformal.each_class:
        floor = -_rank(-own, share, unseen.of)
        floors, rows = (floor,) * len(names), {"": len(labels)}
    else:
        of_class = [own[labels == at] for at in range(len(names))]
        found = zip(names, of_class, strict=True)
        floors = tuple(-_rank(-each, share, f"the rows of {name!r} among {unseen.of}") for name, each in found)
        rows = {name: len(each) for name, each in zip(names, of_class, strict=True)}
    reach = Reach(method="set", coverage=share, floors=floors, classes=tuple(names))
    return reach, ReachChoice(coverage=share, rows=rows)


def by_class(said: np.ndarray) -> np.ndarray:
    """Probabilities of each class, shape (n, classes), also of a yes or no."""
    return np.column_stack([1.0 - said, said]) if said.ndim == 1 else said


def intervals(reach: Reach, said: np.ndarray) -> np.ndarray:
    """Of each answer its lower and upper end, shape (n, 2)."""
    if reach.method == "residual":
        return np.column_stack([said - reach.reach, said + reach.reach])
    low, high = said[:, reach.between[0]] - reach.reach, said[:, reach.between[1]] + reach.reach
    middle = (low + high) / 2
    return np.column_stack([np.minimum(low, middle), np.maximum(high, middle)])


def members(reach: Reach, said: np.ndarray) -> np.ndarray:
    """Whether each class is in each answer's set, shape (n, classes); where none is likely enough, the nearest."""
    chances = by_class(said)
    floors = np.array(reach.floors)
    inside = chances >= floors
    nearest = np.argmax(chances / np.maximum(floors, _TINY), axis=1)
    alone = ~inside.any(axis=1)
    inside[alone, nearest[alone]] = True
    return inside


def interval_of(reach: Reach, said: float | Sequence[float]) -> tuple[float, float]:
    """The same of one answer."""
    if reach.method == "residual" or not isinstance(said, Sequence):
        number = said[0] if isinstance(said, Sequence) else said
        return number - reach.reach, number + reach.reach
    low, high = said[reach.between[0]] - reach.reach, said[reach.between[1]] + reach.reach
    middle = (low + high) / 2
    return min(low, middle), max(high, middle)


def set_of(reach: Reach, said: float | Sequence[float]) -> list[str]:
    """The same of one answer: names of the classes that may come."""
    chances = said if isinstance(said, Sequence) else (1.0 - said, said)
    known = list(zip(reach.classes, chances, reach.floors, strict=True))
    found = [name for name, chance, floor in known if chance >= floor]
    return found or [max(known, key=lambda each: each[1] / max(each[2], _TINY))[0]]


def _rank(errors: np.ndarray, coverage: float, of: str) -> float:
    """The error that a share of n + 1 rows stays within: of n errors, in order, the one at ⌈(n + 1) · coverage⌉."""
    count = len(errors)
    place = math.ceil((count + 1) * coverage - 1e-9)
    if place > count:
        needed = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise TrainingError(
            f"a coverage of {coverage:g} can't be learned from so few rows: {of}",
            found=f"{count:,} rows", expected=f"{needed:,} or more, and many more to be precise",
            do="Ask for less coverage, lengthen valid= of the split, or use RollingOrigin with several folds",
        )  # fmt: skip
    return float(np.partition(errors, place - 1)[place - 1])


def _pair(levels: Sequence[float], coverage: float) -> tuple[int, int]:
    """The two quantiles that an interval is made from: those whose own coverage is nearest, with as much on both sides.

    Raises:
        UsageError: There are not two.
    """
    pairs = [(low, high) for low in range(len(levels)) for high in range(low + 1, len(levels))]
    if not pairs:
        raise UsageError(
            "an interval is made from two quantiles", found=f"levels={list(levels)}",
            do="Declare two levels on the label, such as [0.05, 0.95], or make it a regression",
        )  # fmt: skip
    return min(
        pairs,
        key=lambda pair: (
            abs(levels[pair[1]] - levels[pair[0]] - coverage) + abs(levels[pair[0]] + levels[pair[1]] - 1.0),
            pair,
        ),
    )
