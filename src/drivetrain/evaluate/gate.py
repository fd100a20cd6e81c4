"""What a version must meet before it may serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from drivetrain.core.errors import ProjectError
from drivetrain.core.notebook import shown
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.evaluate.metrics import METRICS, SETS, metric_of, names_of, suits
from drivetrain.evaluate.parity import disparity_of

_TIMES = 1.5


class Gate(msgspec.Struct, frozen=True):
    """One rule on an evaluation; ``Gate("average_precision", at_least=0.40)``, or one of the constructors below.

    Attributes:
        metric: Name of the metric judged; where none is named, the model's own (of slices, the one that groups of its
            kind are compared by).
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

    metric: str = ""
    at_least: float | None = None
    at_most: float | None = None
    surely: bool = False
    against: Literal["champion", "baseline"] | None = None
    margin: float = 0.0
    column: str | None = None
    value: str | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        metric = metric_of(self.metric) if self.metric else None
        if self.against is None and self.at_least is None and self.at_most is None:
            title = metric.title if metric else "the model's metric"
            raise ProjectError(
                f"the gate on {title} asks for nothing", expected="at_least= or at_most=", found="neither"
            )
        if metric is not None and self.against is not None and metric.better not in {"greater", "lower"}:
            comparable = [name for name, other in METRICS.items() if other.better in {"greater", "lower"}]
            raise ProjectError(
                f"{metric.title} can't be better or worse than another's", expected=f"one of {', '.join(comparable)}"
            )

    def on(self, kind: TaskKind, metric: str) -> Gate:
        """The gate with its metric named.

        Args:
            kind: Of the model's answers.
            metric: The metric that stands for its objective.

        Raises:
            ProjectError: The metric that the gate names can't be made from such answers.
        """
        if not self.metric:
            return msgspec.structs.replace(self, metric=metric if self.column is None else SETS[kind].slice_metric)
        if not suits(self.metric, kind):
            raise ProjectError(
                f"the gate on {metric_of(self.metric).title} does not suit a label that is {KINDS[kind]}",
                found=repr(self.metric),
                expected=f"a metric of such answers: {', '.join(names_of(kind))}",
            )
        return self

    @classmethod
    def beats_champion(cls, metric: str = "", margin: float = 0.0) -> Gate:
        """Better than the champion by more than ``margin``, with confidence; passes where there is no champion."""
        return cls(metric, against="champion", margin=margin)

    @classmethod
    def keeps_up_with_champion(cls, metric: str = "", loss: float = 0.01) -> Gate:
        """Not worse than the champion by ``loss`` or more, with confidence (non-inferiority)."""
        return cls(metric, against="champion", margin=-abs(loss))

    @classmethod
    def beats_baselines(cls, metric: str = "", margin: float = 0.0) -> Gate:
        """Better than every baseline by more than ``margin``, with confidence."""
        return cls(metric, against="baseline", margin=margin)

    @classmethod
    def slice(
        cls,
        column: str,
        metric: str = "",
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
    def approval(cls, by: str | Sequence[str] = ()) -> Gate:
        """A person's word: the version waits until ``drivetrain approve VERSION --because …`` gives it.

        Args:
            by: Who may give it, by name; anybody by default. Who somebody is, the operating system says, or they do:
                it is on record, and not proven.
        """
        return Approval("approval", by=(by,) if isinstance(by, str) else tuple(by))

    @classmethod
    def calibration(cls, at_most: float = 0.05) -> Gate:
        """The mean distance between predicted and observed share must not exceed this; for a yes or no, and classes."""
        return cls("ece", at_most=at_most)

    @classmethod
    def fairness(
        cls,
        metric: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        column: str | None = None,
        surely: bool = False,
    ) -> Gate:
        """A bound on how far protected groups lie apart: ``at_most`` for a difference, ``at_least`` for a ratio.

        Args:
            metric: ``equalized_odds_difference``, ``demographic_parity_ratio`` and so on, as fairlearn names them.
            at_most: The widest gap must not exceed this.
            at_least: The ratio must reach this.
            column: A protected attribute, or several as ``"sex × region"``; every one that is told apart by default.
            surely: Judge the interval's worse bound, so that luck can't pass the gate.
        """
        return FairnessGate(metric, at_most=at_most, at_least=at_least, column=column, surely=surely)

    @classmethod
    def behaviours(cls) -> Gate:
        """Every behaviour that the model declares must hold."""
        return BehaviourGate()

    @classmethod
    def latency(
        cls,
        *,
        at_most_us: float | None = None,
        times_champion: float | None = None,
        quantile: Literal["p50", "p99"] = "p50",
    ) -> Gate:
        """A bound on how long one row takes, by the engine that serves the model, on the machine that judges it.

        Args:
            at_most_us: Microseconds that it may take.
            times_champion: How many times as long as the champion it may take, timed in turns on the same rows; 1.5
                where no bound is named. Passes where there is no champion.
            quantile: ``p50``, the median of single rows, or ``p99``, which a busy machine moves far.
        """
        return CostGate("latency", at_most=at_most_us, times=_usual(at_most_us, times_champion), quantile=quantile)

    @classmethod
    def size(cls, *, at_most_mb: float | None = None, times_champion: float | None = None) -> Gate:
        """A bound on how large the artifact is that is served.

        Args:
            at_most_mb: Megabytes (10⁶ bytes) that it may take up.
            times_champion: How many times as large as the champion's it may be; 1.5 where no bound is named. Passes
                where there is no champion.
        """
        most = None if at_most_mb is None else 1e6 * at_most_mb
        return CostGate("size", at_most=most, times=_usual(most, times_champion))

    @classmethod
    def contract(cls, at_most: float = 0.01) -> Gate:
        """The rows behind the training set must keep their contracts: of each table at most this share may break it.

        It is counted over the whole table and its quarantine, as they stand when the model is judged.
        """
        return ContractGate("contract", at_most=at_most)


class _Beside(Gate, frozen=True):
    """A gate that no figure of the evaluation answers, whatever the kind of the model's answers."""

    def on(self, kind: TaskKind, metric: str) -> Gate:  # noqa: ARG002 - as of Gate
        """The gate itself."""
        return self


class BehaviourGate(_Beside, frozen=True):
    """A rule on the report on behaviours; made by :meth:`Gate.behaviours`."""

    metric: str = "behaviours"

    def __post_init__(self) -> None:
        """There is nothing to check: what is asked for is said by the behaviours."""


class CostGate(_Beside, frozen=True):
    """A rule on what a model costs; made by :meth:`Gate.latency` and :meth:`Gate.size`.

    Attributes:
        times: How many times the champion's it may be; none where it is not compared.
        quantile: Of latency: which rows' time.
    """

    times: float | None = None
    quantile: Literal["p50", "p99"] = "p50"

    def __post_init__(self) -> None:
        for bound in (self.at_most, self.times):
            if bound is not None and not bound > 0:
                raise ProjectError(f"the gate on {self.metric} lets nothing pass", found=bound, expected="more than 0")
        if self.quantile not in {"p50", "p99"}:
            raise ProjectError("the gate on latency names no such quantile", found=self.quantile, expected="p50 or p99")


class ContractGate(_Beside, frozen=True):
    """A rule on the rows behind the training set; made by :meth:`Gate.contract`."""

    def __post_init__(self) -> None:
        if self.at_most is None or not 0 <= self.at_most < 1:
            raise ProjectError(
                "the gate on contracts bounds a share", found=self.at_most, expected="0 or more, below 1"
            )


class FairnessGate(_Beside, frozen=True):
    """A rule on the report on fairness; made by :meth:`Gate.fairness`."""

    def __post_init__(self) -> None:
        definition = disparity_of(self.metric)
        bound, wrong = ("at_most=", self.at_least) if definition.kind == "difference" else ("at_least=", self.at_most)
        asked = self.at_most if definition.kind == "difference" else self.at_least
        if asked is None or wrong is not None:
            raise ProjectError(
                f"the gate on {definition.title} bounds it on the wrong side, or not at all",
                expected=f"{bound}: a {definition.kind} of {1 if definition.kind == 'ratio' else 0} is perfect parity",
            )


class Approval(_Beside, frozen=True):
    """A gate that a person opens; see :meth:`Gate.approval`.

    Attributes:
        by: Who may; anybody where it is empty.
    """

    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """There is nothing to check: no figure answers it."""


def _usual(bound: float | None, times: float | None) -> float | None:
    """What the champion is compared by: as asked; so much where nothing else is asked."""
    return _TIMES if bound is None and times is None else times
