"""Behaviours that a project can declare of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.evaluate.metrics import metric_of
from drivetrain.features.expression import check_row_wise, expression_digest, in_words


@dataclass(frozen=True)
class Invariance:
    """The answer does not depend on a column; made by :func:`invariance`."""

    column: str
    values: tuple[object, ...]
    within: float
    at_least: float

    @property
    def name(self) -> str:
        """What is expected, in words."""
        return f"{self.column} changes nothing"

    @property
    def digest(self) -> Digest:
        """Of its meaning."""
        return digest(["invariance", self.column, [repr(each) for each in self.values], self.within, self.at_least])


@dataclass(frozen=True)
class Direction:
    """The answer goes one way with a number; made by :func:`direction`."""

    column: str
    way: Literal["up", "down"]
    by: float | None
    within: float
    at_least: float

    @property
    def name(self) -> str:
        """What is expected, in words."""
        return f"{self.column} up, prediction {self.way}"

    @property
    def digest(self) -> Digest:
        """Of its meaning."""
        return digest(["direction", self.column, self.way, self.by, self.within, self.at_least])


@dataclass(frozen=True, eq=False)
class Minimum:
    """A figure among some rows; made by :func:`minimum`."""

    metric: str
    where: pl.Expr
    at_least: float
    surely: bool

    @property
    def name(self) -> str:
        """What is expected, in words."""
        return f"{metric_of(self.metric).title} where {in_words(self.where)}"

    @property
    def digest(self) -> Digest:
        """Of its meaning."""
        return digest(["minimum", self.metric, expression_digest(self.where), self.at_least, self.surely])


Behaviour: TypeAlias = Invariance | Direction | Minimum


def invariance(
    column: str, values: Sequence[object] = (), *, within: float = 0.01, at_least: float = 0.95
) -> Invariance:
    """The answer must not depend on a column: whatever else it held, the prediction would stay.

    Args:
        column: A field of the request, or a feature by its full name. What is computed from it is computed anew; what
            views look up is left as it was.
        values: What it is changed to; by default the ten values that are most frequent among the test rows.
        within: How far the prediction may move.
        at_least: Share of rows that must behave.

    Example:
        >>> invariance("carrier").name
        'carrier changes nothing'
    """
    _check(f"invariance to {column}", within, at_least)
    return Invariance(column, tuple(values), within, at_least)


def direction(
    column: str, way: Literal["up", "down"], *, by: float | None = None, within: float = 0.0, at_least: float = 0.95
) -> Direction:
    """The answer must go one way, or stay, when a number grows.

    Args:
        column: A field of the request, or a feature by its full name, that is a number.
        way: ``"up"`` if the prediction must not fall, ``"down"`` if it must not rise.
        by: How much the number grows; by default by one standard deviation of the test rows.
        within: How far the prediction may move the other way.
        at_least: Share of rows that must behave.

    Example:
        >>> direction("dep_delay", "up").name
        'dep_delay up, prediction up'
    """
    if way not in {"up", "down"}:
        raise ProjectError(f"the direction of {column} is none", found=repr(way), expected="'up' or 'down'")
    if by is not None and not by > 0:
        raise ProjectError(f"the direction of {column} is tried by no growth", found=by, expected="a number above 0")
    _check(f"direction of {column}", within, at_least)
    return Direction(column, way, by, within, at_least)


def minimum(metric: str, where: pl.Expr, *, at_least: float, surely: bool = False) -> Minimum:
    """A figure must reach a bound among the rows that an expression picks.

    Args:
        metric: Name of the metric; one of which more is better.
        where: Row expression over fields and features that is true of the rows meant.
        at_least: The figure must reach this.
        surely: Judge the interval's lower bound, so that luck can't pass.
    """
    if metric_of(metric).better != "greater":
        raise ProjectError(f"{metric} has no minimum: less of it is better", expected="average_precision or roc_auc")
    check_row_wise(where, f"the rows of minimum {metric}")
    return Minimum(metric, where, at_least, surely)


def _check(what: str, within: float, at_least: float) -> None:
    if within < 0 or not 0.0 < at_least <= 1.0:
        raise ProjectError(
            f"the {what} is asked for in impossible figures",
            found=f"within={within:g}, at_least={at_least:g}",
            expected="within= of 0 or more, at_least= above 0 and at most 1",
        )
