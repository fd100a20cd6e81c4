"""What a version must meet before it may serve."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.errors import ProjectError
from drivetrain.core.notebook import shown
from drivetrain.evaluate.metrics import METRICS, metric_of


class Gate(msgspec.Struct, frozen=True):
    """One rule on an evaluation; ``Gate("average_precision", at_least=0.40)``, or one of the constructors below.

    Attributes:
        metric: Name of the metric judged.
        at_least: The value must reach this.
        at_most: The value must not exceed this.
        surely: Judge the interval's worse bound instead of the value, so that luck can't pass the gate.
        against: What it is compared with; none for an absolute gate.
        margin: For comparisons: the lower bound of the paired difference (positive is better) must exceed this. Zero
            asks for proven superiority; below zero allows that loss (non-inferiority).
        column: For slices: the column; every slice of it must meet the bound unless ``value`` names one.
        value: For slices: one value of the column.

    Raises:
        UnknownName: No metric goes by that name.
        ProjectError: An absolute gate names no bound.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    surely: bool = False
    against: Literal["champion", "baseline"] | None = None
    margin: float = 0.0
    column: str | None = None
    value: str | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        metric = metric_of(self.metric)
        if self.against is None and self.at_least is None and self.at_most is None:
            raise ProjectError(
                f"the gate on {metric.title} asks for nothing", expected="at_least= or at_most=", found="neither"
            )
        if self.against is not None and metric.better not in {"greater", "lower"}:
            comparable = [name for name, other in METRICS.items() if other.better in {"greater", "lower"}]
            raise ProjectError(
                f"{metric.title} can't be better or worse than another's", expected=f"one of {', '.join(comparable)}"
            )

    @classmethod
    def beats_champion(cls, metric: str = "average_precision", margin: float = 0.0) -> Gate:
        """Better than the champion by more than ``margin``, with confidence; passes where there is no champion."""
        return cls(metric, against="champion", margin=margin)

    @classmethod
    def keeps_up_with_champion(cls, metric: str = "average_precision", loss: float = 0.01) -> Gate:
        """Not worse than the champion by ``loss`` or more, with confidence (non-inferiority)."""
        return cls(metric, against="champion", margin=-abs(loss))

    @classmethod
    def beats_baselines(cls, metric: str = "average_precision", margin: float = 0.0) -> Gate:
        """Better than every baseline by more than ``margin``, with confidence."""
        return cls(metric, against="baseline", margin=margin)

    @classmethod
    def slice(
        cls,
        column: str,
        metric: str = "roc_auc",
        *,
        value: str | None = None,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> Gate:
        """A bound on every slice of a column, or on one; refused where a slice is worse with confidence.

        A slice's own figure wobbles, and the worst of many wobbles most: only a slice whose whole interval, corrected
        for the number of slices, lies beyond the bound is refused.
        """
        return cls(metric, at_least=at_least, at_most=at_most, column=column, value=value)

    @classmethod
    def calibration(cls, at_most: float = 0.05) -> Gate:
        """The mean distance between predicted and observed share must not exceed this."""
        return cls("ece", at_most=at_most)
