"""The business metric of a monitor: what an answer was worth, once it is known what came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.features.expression import expression_digest

GIVEN = ("prediction", "label", "acted")
"""What every expression may read: the answer, what came, and whether the answer is acted on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Business:
    """What a prediction is worth, as money or any number of which more is better.

    Attributes:
        value: An expression over ``prediction``, ``label``, ``acted`` (whether the prediction is acted on, from the
            version's threshold), and any feature, field of the request or column of the label's table. Rows of which it
            is null are left out, as those without a label. By default the costs and benefits that the model's own
            ``threshold=dt.Threshold(…)`` declares.
        name: What it is called.
        unit: Of the value, such as ``EUR``.
        per: For how many predictions it is told.
        drop: How much less so many predictions must surely bring than on the version's evaluation; none not to compare.
        at_least: What so many predictions must not surely fall below.
        least: Answers of known worth below which nothing is judged.

    Raises:
        ProjectError: It can't be as declared.

    Example:
        >>> saved = Business(value=pl.when("acted").then(pl.col("label") * 40 - 5).otherwise(0), unit="EUR", drop=200)
        >>> saved.reads
        ('acted', 'label')
    """

    value: pl.Expr | None = None
    name: str = "value"
    unit: str = ""
    per: int = 1_000
    drop: float | None = None
    at_least: float | None = None
    least: int = 200

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figures at the door."""
        if not self.name.strip() or "." in self.name:
            raise ProjectError("a business metric needs a name without dots", found=repr(self.name))
        if self.per < 1 or self.least < 1:
            raise ProjectError("a business metric is of predictions", found=f"per={self.per}, least={self.least}")
        if self.drop is not None and not 0 <= self.drop < math.inf:
            raise ProjectError("a drop is an amount", found=self.drop, expected="0 or more")

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns that the expression reads."""
        return () if self.value is None else tuple(sorted(set(self.value.meta.root_names())))

    @property
    def beside(self) -> tuple[str, ...]:
        """Those that are neither the answer nor what came of it."""
        return tuple(name for name in self.reads if name not in GIVEN)

    @property
    def rule(self) -> str:
        """The name of its rule."""
        return f"business.{self.name}"

    def digest(self, costs: Mapping[str, float]) -> Digest:
        """Of what it measures."""
        return digest([expression_digest(self.value), dict(costs) if self.value is None else {}, self.per])


def of_costs(costs: Mapping[str, float]) -> pl.Expr:
    """The worth of a row by what became of it.

    Args:
        costs: Outcome (``true_positive`` …) → what it costs; a benefit is a cost below zero.

    Example:
        >>> rows = pl.DataFrame({"acted": [True, True, False], "label": [1.0, 0.0, 1.0]})
        >>> rows.select(of_costs({"false_positive": 1, "false_negative": 8})).to_series().to_list()
        [0.0, -1.0, -8.0]
    """
    yes, acted = pl.col("label") > 0, pl.col("acted")
    worth = {name: pl.lit(-float(costs.get(name, 0.0)) or 0.0) for name in
             ("true_positive", "false_positive", "true_negative", "false_negative")}  # fmt: skip
    known = (
        pl.when(yes & acted)
        .then(worth["true_positive"])
        .when(yes)
        .then(worth["false_negative"])
        .when(acted)
        .then(worth["false_positive"])
        .otherwise(worth["true_negative"])
    )
    return pl.when(pl.col("label").is_not_null()).then(known)
