"""What a mitigation changes, and what it costs: figures before and after on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from drivetrain.core.records import Disparity, Measure
from drivetrain.evaluate.bias.groups import Grouping
from drivetrain.evaluate.fairness.apart import apart
from drivetrain.evaluate.fairness.luck import Luck
from drivetrain.evaluate.fairness.rates import Counted
from drivetrain.evaluate.fairness.thresholds import Constraint, GroupRule
from drivetrain.evaluate.ranking import Floats

By: TypeAlias = Literal["threshold", "reweigh", "gradient"]


class BeforeAfter(msgspec.Struct, frozen=True):
    """A figure before and after; ``change`` is after less before, paired, none of disparities."""

    name: str
    before: Measure
    after: Measure
    change: Measure | None = None


class Mitigated(msgspec.Struct, frozen=True, kw_only=True):
    """A mitigation that was tried. Nothing that serves has changed.

    Attributes:
        model: The model's name.
        version: The version that it was tried on.
        by: How.
        constraint: What was to be made alike.
        column: The attributes whose groups were.
        learned: Rows that it was learned from.
        judged: Rows that judge it, later than those.
        disparities: How far groups lie apart.
        costs: Accuracy, what is caught, and how often it is right when it acts.
        rules: Of thresholds by group: the rules.
        notes: What one must know before using it, sentences.
    """

    model: str
    version: int
    by: By
    constraint: Constraint
    column: str
    learned: int
    judged: int
    disparities: tuple[BeforeAfter, ...]
    costs: tuple[BeforeAfter, ...]
    rules: tuple[GroupRule, ...] = ()
    notes: tuple[str, ...] = ()


def apart_before_and_after(
    labels: Floats, scores: Floats, acted: tuple[Floats, Floats], grouping: Grouping, luck: Luck
) -> tuple[BeforeAfter, ...]:
    """How far groups lie apart, by every difference that can be told of both.

    Args:
        labels: 0 or 1, shape (n,).
        scores: Predictions, shape (n,).
        acted: Chance that each row is acted on, before and after.
        grouping: Who is told apart.
        luck: Draws over the rows.
    """
    before, after = (_by_name(apart(Counted(labels, scores, each, grouping, luck))) for each in acted)
    return tuple(
        BeforeAfter(name, found.value, after[name].value)
        for name, found in before.items()
        if name in after and name.endswith("_difference")
    )


def costs(labels: Floats, acted: tuple[Floats, Floats], luck: Luck) -> tuple[BeforeAfter, ...]:
    """Accuracy, share caught and share right when acted on, before and after, with the paired change.

    Args:
        labels: 0 or 1, shape (n,).
        acted: Chance that each row is acted on, before and after.
        luck: Draws over the rows.
    """
    rows = np.ones(len(labels))
    return (
        _change("accuracy", [labels * each + (1 - labels) * (1 - each) for each in acted], [rows, rows], luck),
        _change("caught", [labels * each for each in acted], [labels, labels], luck),
        _change("right when acted on", [labels * each for each in acted], list(acted), luck),
    )


def _change(name: str, tops: Sequence[Floats], unders: Sequence[Floats], luck: Luck) -> BeforeAfter:
    """Columns of the figures: before, after, and after less before."""
    figures = []
    for design in luck.designs:
        both = []
        for top, under in zip(tops, unders, strict=True):
            above, below = design.sums(top)[:, 0], design.sums(under)[:, 0]
            both.append(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))
        figures.append(np.column_stack([*both, both[1] - both[0]]))
    errors, width = luck.errors(figures), luck.width(luck.days.blocks)
    told = []
    for at, value in enumerate(figures[0][0]):
        reach = None if width is None or not np.isfinite(errors[at]) else float(errors[at]) * width
        low, high = (None, None) if reach is None else (float(value) - reach, float(value) + reach)
        if at < 2 and low is not None and high is not None:
            low, high = max(low, 0.0), min(high, 1.0)
        told.append(Measure(float(value), low, high, len(tops[0]), luck.level))
    return BeforeAfter(name, *told)


def _by_name(found: list[Disparity]) -> Mapping[str, Disparity]:
    return {each.metric: each for each in found}
