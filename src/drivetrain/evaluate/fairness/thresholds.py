"""A threshold for each group, so that groups are acted on alike (Hardt, Price and Srebro, 2016).

Each group's scores give a curve of what a threshold does; where it is not convex, two thresholds at random do better
than one. Of the points that all groups can reach, the one with the fewest wrong decisions is taken. For equalized odds
groups whose curve lies higher are brought down to the others': part of their rows is acted on by lot.
Values are those of fairlearn's ``ThresholdOptimizer``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.errors import UsageError
from drivetrain.evaluate.ranking import Floats

Constraint: TypeAlias = Literal["demographic_parity", "equal_opportunity", "equalized_odds"]
CONSTRAINTS: tuple[Constraint, ...] = ("demographic_parity", "equal_opportunity", "equalized_odds")
LEAST, LEAST_OF = 100, 30
"""Rows, and rows of either outcome, below which a group keeps the model's own threshold."""
_GRID = np.linspace(0.0, 1.0, 1001)


class GroupRule(msgspec.Struct, frozen=True, kw_only=True):
    """How rows of one group are decided on."""

    group: str
    thresholds: tuple[tuple[float, float], ...]
    """Threshold, and the chance that it is the one that counts; one of chance 1 where nothing is left to a lot."""
    lot: float = 0.0
    """Share of the rows that are decided on by lot, whatever their prediction."""
    lot_acts: float = 0.0
    """Chance that such a row is acted on."""
    own: bool = True
    """Whether the rule is the group's own; if not, it was too small and keeps the model's threshold."""

    def acts(self, scores: Floats) -> Floats:
        """Chance that each row is acted on, shape (n,)."""
        chance = np.zeros(len(scores))
        for threshold, weight in self.thresholds:
            chance += weight * (scores >= threshold)
        return np.asarray(self.lot * self.lot_acts + (1.0 - self.lot) * chance, np.float64)


def learn_thresholds(
    labels: Floats,
    scores: Floats,
    groups: npt.NDArray[np.intp],
    names: list[str],
    *,
    constraint: Constraint,
    threshold: float,
) -> list[GroupRule]:
    """The rules under which groups are acted on alike, with as few wrong decisions as can be.

    Args:
        labels: 0 or 1, shape (n,).
        scores: Predictions, shape (n,).
        groups: Group of each row, shape (n,).
        names: What the groups are called.
        constraint: What must be alike.
        threshold: The model's own, for groups that are too small.

    Raises:
        UsageError: Fewer than two groups are large enough.
    """
    large = [
        at
        for at in range(len(names))
        if (inside := groups == at).sum() >= LEAST and min(labels[inside].sum(), (1 - labels[inside]).sum()) >= LEAST_OF
    ]
    if len(large) < 2:
        raise UsageError(
            "thresholds by group need two groups that are large enough", found=len(large),
            expected=f"{LEAST} rows each, {LEAST_OF} of either outcome",
        )  # fmt: skip
    curves = {at: _Curve(labels[groups == at], scores[groups == at]) for at in large}
    made = _odds(curves) if constraint == "equalized_odds" else _simple(curves, constraint)
    kept = {at: GroupRule(group=names[at], thresholds=((threshold, 1.0),), own=False) for at in range(len(names))}
    return [msgspec.structs.replace(made[at], group=names[at]) if at in made else kept[at] for at in range(len(names))]


class _Curve:
    """What each threshold does to the rows of one group: from nobody acted on to everybody."""

    def __init__(self, labels: Floats, scores: Floats) -> None:
        order = np.argsort(-scores, kind="stable")
        last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
        right = np.cumsum(labels[order])[last]
        acted = last + 1.0
        self.rows, self.yes = len(labels), float(labels.sum())
        self.thresholds = np.concatenate([[np.inf], scores[order][last]])
        self.acted = np.concatenate([[0.0], acted]) / self.rows
        self.caught = np.concatenate([[0.0], right]) / self.yes
        self.wrongly = np.concatenate([[0.0], acted - right]) / (self.rows - self.yes)

    @property
    def correct(self) -> Floats:
        """Share of the rows that is decided on rightly."""
        share = self.yes / self.rows
        return np.asarray(self.caught * share + (1.0 - self.wrongly) * (1.0 - share), np.float64)


def _simple(curves: dict[int, _Curve], constraint: Constraint) -> dict[int, GroupRule]:
    """One rate alike: of all values of it, the one at which the most rows are decided on rightly."""
    rates = {at: each.acted if constraint == "demographic_parity" else each.caught for at, each in curves.items()}
    hulls = {at: _hull(rates[at], each.correct) for at, each in curves.items()}
    rows = sum(each.rows for each in curves.values())
    total = sum(
        each.rows / rows * np.interp(_GRID, rates[at][hulls[at]], each.correct[hulls[at]])
        for at, each in curves.items()
    )
    best = float(_GRID[int(np.argmax(total))])
    return {
        at: GroupRule(group="", thresholds=_between(best, rates[at][hulls[at]], each.thresholds[hulls[at]]))
        for at, each in curves.items()
    }


def _odds(curves: dict[int, _Curve]) -> dict[int, GroupRule]:
    """Both rates alike: a point below every group's curve."""
    hulls = {at: _hull(each.wrongly, each.caught) for at, each in curves.items()}
    reached = {at: np.interp(_GRID, each.wrongly[hulls[at]], each.caught[hulls[at]]) for at, each in curves.items()}
    lowest = np.min(list(reached.values()), axis=0)
    yes = sum(each.yes for each in curves.values())
    no = sum(each.rows - each.yes for each in curves.values())
    place = int(np.argmax(yes * lowest + no * (1.0 - _GRID)))
    wrongly, caught = float(_GRID[place]), float(lowest[place])
    rules = {}
    for at, each in curves.items():
        above = float(reached[at][place])
        lot = 0.0 if above - wrongly <= 1e-12 else (above - caught) / (above - wrongly)
        rules[at] = GroupRule(
            group="",
            thresholds=_between(wrongly, each.wrongly[hulls[at]], each.thresholds[hulls[at]]),
            lot=lot,
            lot_acts=wrongly,
        )
    return rules


def _hull(across: Floats, upwards: Floats) -> npt.NDArray[np.intp]:
    """Points of the upper convex hull, from left to right (Andrew's monotone chain)."""
    order = np.lexsort((upwards, across))
    kept: list[int] = []
    for at in order:
        # Of points above one another the last is the highest.
        while kept and across[kept[-1]] == across[at]:
            kept.pop()
        while len(kept) >= 2:
            one, two = kept[-2], kept[-1]
            turn = (across[two] - across[one]) * (upwards[at] - upwards[one])
            if turn - (upwards[two] - upwards[one]) * (across[at] - across[one]) < 0:
                break
            kept.pop()
        kept.append(int(at))
    return np.array(kept, np.intp)


def _between(value: float, across: Floats, thresholds: Floats) -> tuple[tuple[float, float], ...]:
    """Two thresholds, and the chances at which their rates are the value on average."""
    above = min(int(np.searchsorted(across, value)), len(across) - 1)
    if across[above] <= value or above == 0:
        return ((float(thresholds[above]), 1.0),)
    weight = float((value - across[above - 1]) / (across[above] - across[above - 1]))
    return ((float(thresholds[above - 1]), 1.0 - weight), (float(thresholds[above]), weight))
