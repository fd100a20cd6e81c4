"""A rule as code: what breaks it, for how long before anybody is told, how grave it is, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros, duration
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import SEVERITIES, DataReport, Severity
from drivetrain.evaluate.wording import span
from drivetrain.monitor.alerting.reading import Report, check_path, read, say
from drivetrain.monitor.finding import Finding

Standing: TypeAlias = Literal["kept", "between", "unknown"]
"""How an unbroken rule stands in a window: kept; not broken, but not back where it is kept again; not to be told."""

RESERVED = (
    "performance",
    "estimated",
    "calibration",
    "drift",
    "concept",
    "inputs",
    "fairness",
    "segment",
    "business",
    "attribution",
    "rules",
    "traffic",
)
"""Families of rules that every monitor has."""


class Terms(msgspec.Struct, frozen=True):
    """For how long a rule must be broken before it opens an alert, and kept before that ends.

    Attributes:
        time: Time of windows that follow one another, all of which broke it.
        windows: How many these must be.
        calm: Windows in a row that must keep it.
        runbook: Where it is written what to do.
    """

    time: Micros = 0
    windows: int = 1
    calm: int = 1
    runbook: str = ""

    def met(self, broken: Micros, windows: int) -> bool:
        """Whether it was broken for long enough."""
        return broken >= self.time and windows >= self.windows


def terms(hold: str | int, calm: int, runbook: str = "") -> Terms:
    """Terms as they are declared.

    Raises:
        ProjectError: They are for less than one window.
        UsageError: The time is no duration.
    """
    if calm < 1 or (isinstance(hold, int) and hold < 1):
        raise ProjectError(
            "a rule is held and calm for whole windows", found=f"hold={hold!r}, calm={calm!r}", expected="1 or more"
        )
    if isinstance(hold, int):
        return Terms(windows=hold, calm=calm, runbook=runbook)
    return Terms(time=duration(hold), calm=calm, runbook=runbook)


@dataclass(frozen=True)
class Rule:
    """A rule on a monitor's report.

    Either ``when`` says whether a report breaks it, or ``metric`` and a bound do. A figure that a report lacks, as
    performance before labels arrive, neither breaks nor keeps it.

    Attributes:
        name: What it is called: in alerts, for silences and in the report of alert quality.
        when: ``when(report)`` → whether it is broken; or a sentence that says how; or ``None`` where that can't be
            told.
        metric: Path of a figure of :class:`~drivetrain.core.records.MonitorReport`: ``latency_p99_us``,
            ``performance.roc_auc``, ``performance.roc_auc.low``, ``drift.weather.temp``, ``median_ages.history``; or,
            put to a table or view, of :class:`~drivetrain.core.records.DataReport`: ``columns.amount.nulls``.
        above: Broken above this.
        below: Broken below this.
        clear: The figure at which it counts as kept again, where that is not the bound itself: between the two an alert
            stays as it is.
        hold: How long it must be broken before anybody is told: a duration, ``"2d"``, which whole windows must fill, or
            a number of windows in a row.
        calm: How many windows in a row must keep it before its alert ends.
        severity: ``info`` is for the record, ``warning`` for working hours, ``critical`` for now.
        runbook: Address or path of what to do.
        meaning: What it means for the objective, a sentence.

    Raises:
        ProjectError: It can't be as declared.

    Example:
        >>> from drivetrain.core.records import MonitorReport
        >>> slow = Rule("slow", metric="latency_p99_us", above=50_000, hold="2d", severity="critical")
        >>> report = MonitorReport(endpoint="late", model="late", version=1, since=0, until=86_400_000_000,
        ...     predictions=90, latency_p99_us=61_250.0)
        >>> slow.finding(report).message
        'late: slow. latency_p99_us was 61.2 ms on 1 January 1970, above the 50.0 ms allowed.'
    """

    name: str
    _: KW_ONLY
    when: Callable[[Any], object] | None = None
    metric: str | None = None
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    hold: str | int = 1
    calm: int = 1
    severity: Severity = "warning"
    runbook: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip() or "\n" in self.name:
            raise ProjectError("a rule needs a name of one line", found=repr(self.name))
        if self.name.partition(".")[0] in RESERVED:
            raise ProjectError(
                f"a rule can't be called {self.name!r}: every monitor has rules of that name", do="Give it another name"
            )
        if self.severity not in SEVERITIES:
            raise ProjectError(
                f"rule {self.name!r} is of no severity", found=repr(self.severity), expected=" or ".join(SEVERITIES)
            )
        bounds = [bound for bound in (self.above, self.below) if bound is not None]
        if (self.when is None) == (self.metric is None) or (self.metric is None) == bool(bounds):
            raise ProjectError(
                f"rule {self.name!r} does not say what breaks it",
                expected="when=, or metric= with above= or below=",
            )
        if self.metric is not None:
            check_path(self.metric)
        self._check_clear(bounds)
        terms(self.hold, self.calm)

    def _check_clear(self, bounds: list[float]) -> None:
        if self.clear is None:
            return
        within = (self.above is None or self.clear <= self.above) and (self.below is None or self.clear >= self.below)
        if len(bounds) != 1 or not within:
            raise ProjectError(
                f"rule {self.name!r} can't be kept again at that figure",
                found=f"clear={self.clear:g}",
                expected="one bound, and clear= on its unbroken side",
            )

    @property
    def terms(self) -> Terms:
        """Its terms."""
        return terms(self.hold, self.calm, self.runbook)

    def finding(self, report: Report) -> Finding | None:
        """What is wrong in a window; none where the rule is not broken, or can't be told.

        Raises:
            Exception: Whatever ``when`` raises.
        """
        if self.when is not None:
            said = self.when(report)
            if not said:
                return None
            words = said if isinstance(said, str) else f"on {span(report.since, report.until)}"
            return Finding(self.name, self.severity, f"{report.endpoint}: {self.name}. {_sentence(words)}", {})
        value = self._value(report)
        if value is None or not self._broken(value):
            return None
        metric = self.metric or ""
        over = self.above is not None and value > self.above
        bound = self.above if over else self.below
        assert bound is not None
        message = (
            f"{report.endpoint}: {self.name}. {metric} was {say(metric, value)} on {span(report.since, report.until)}, "
            f"{'above' if over else 'below'} the {say(metric, bound)} allowed{self._before(report)}."
        )
        evidence: dict[str, object] = {"metric": metric, "value": value, "above": self.above, "below": self.below}
        return Finding(self.name, self.severity, message, evidence)

    def standing(self, report: Report) -> Standing:
        """How it stands where it is not broken."""
        if self.when is not None:
            return "unknown" if self.when(report) is None else "kept"
        value = self._value(report)
        if value is None:
            return "unknown"
        if self.clear is None:
            return "kept"
        return "kept" if (value <= self.clear if self.above is not None else value >= self.clear) else "between"

    def _value(self, report: Report) -> float | None:
        return read(report, self.metric) if self.metric is not None and _asked(report) else None

    def _broken(self, value: float) -> bool:
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    def _before(self, report: Report) -> str:
        family, _, metric = (self.metric or "").partition(".")
        if isinstance(report, DataReport) or family != "performance":
            return ""
        then = report.reference.get(metric.partition(".")[0])
        return "" if then is None else f"; v{report.version} reached {say(metric, then.value)} when it was evaluated"


def _asked(report: Report) -> int:
    return report.rows if isinstance(report, DataReport) else report.predictions


def _sentence(words: str) -> str:
    text = words.strip()
    return (text[:1].upper() + text[1:]).rstrip(".") + "."
