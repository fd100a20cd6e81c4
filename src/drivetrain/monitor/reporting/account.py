"""What there is to report of one endpoint over a time, and the sentences that say it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import SEVERITIES, Alert, Decision, Measure, MonitorReport
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.wording import figures, micros, percent, span
from drivetrain.monitor.alerting.quality import AlertQuality
from drivetrain.monitor.performance import worsening
from drivetrain.monitor.reporting.closer import closer_sentences

ROUTINE = ("ingest", "replay")
"""Decisions that are no news."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint over a time.

    Attributes:
        project: The project's name.
        objective: What its models are for, a sentence.
        endpoint: The endpoint.
        model: Its model.
        metric: The metric that stands for the objective; empty where no window has one, on labels or as estimated.
        since: Start of the time.
        until: Its end.
        made: When the report was made.
        closing: Until when alerts and decisions are in it: what came since the last window, where no end was asked for.
        windows: What the monitor saw, oldest first.
        alerts: Alerts that were open in the time, gravest first.
        decisions: What was decided in it, newest first.
        quality: How good the alerts were: all together, then each rule.
    """

    project: str
    objective: str
    endpoint: str
    model: str
    metric: str
    since: Micros
    until: Micros
    made: Micros
    closing: Micros = 0
    windows: tuple[MonitorReport, ...] = ()
    alerts: tuple[Alert, ...] = ()
    decisions: tuple[Decision, ...] = ()
    quality: tuple[AlertQuality, ...] = ()

    @property
    def opened(self) -> list[Alert]:
        """Alerts that are open."""
        return [one for one in self.alerts if one.state == "open"]

    @property
    def level(self) -> str:
        """``good``, ``warn`` or ``bad``; empty where nothing was seen."""
        if not self.windows:
            return ""
        worst = max((one.severity for one in self.opened), key=SEVERITIES.index, default="info")
        return {"critical": "bad", "warning": "warn", "info": "good"}[worst]

    @property
    def headline(self) -> str:
        """How it stands, in one sentence."""
        if not self.windows:
            return f"Nothing was asked of {self.endpoint} in this time."
        if not self.opened:
            return f"{self.endpoint} does what it was released for: no alert is open."
        worst = min(self.opened, key=lambda one: -SEVERITIES.index(one.severity))
        count = len(self.opened)
        rest = f" {count - 1} more {'alert is' if count == 2 else 'alerts are'} open." if count > 1 else ""
        return f"{worst.message.split('. ')[0].rstrip('.')}.{rest}"

    @property
    def told(self) -> list[Decision]:
        """What was decided, without the routine of data that came in."""
        return [one for one in self.decisions if one.what not in ROUTINE]

    @property
    def sentences(self) -> list[str]:
        """What a person needs to know first: what it means, traffic, quality, drift, alerts and what was done."""
        if not self.windows:
            return []
        said = [self._traffic(), self._quality(), self._drift(), *closer_sentences(self.windows), self._alerts()]
        done = [one for one in self.decisions if one.what in {"promote", "rollback", "retrain", "refuse"}]
        if done:
            said.append(f"Decided last: {done[0].because.rstrip('.')}.")
        means = dict.fromkeys(one.meaning for one in self.opened if one.meaning)
        return [*means, *(one for one in said if one)]

    def _traffic(self) -> str:
        asked = sum(one.predictions for one in self.windows)
        labelled = sum(one.labelled for one in self.windows)
        slow = max(one.latency_p99_us for one in self.windows)
        known = f"the outcome of {percent(labelled / asked)} is known" if labelled else "no outcome is known yet"
        pace = f"; in the slowest window 99 of 100 answers took under {micros(slow)}" if slow else ""
        failed = max(one.failed_share for one in self.windows)
        pace += f"; in the worst window {percent(failed)} were stood in for" if failed else ""
        cost = self.windows[-1].cost_per_1000
        pace += f"; a thousand cost {cost:.2g} in the newest" if cost is not None else ""
        count = f"{len(self.windows)} window{'s' if len(self.windows) > 1 else ''}"
        return f"{asked:,} predictions in {count}: {known}{pace}."

    def _quality(self) -> str:
        judged = [one for one in self.windows if self.metric in one.performance]
        if not judged:
            return ""
        last = judged[-1]
        now, then = last.performance[self.metric], last.reference.get(self.metric)
        title = METRICS[self.metric].title
        words = f"{title[:1].upper()}{title[1:]} was {figures(now)} in the window of {span(last.since, last.until)}"
        change = worsening(self.metric, now, then) if then is not None else None
        if then is None:
            return f"{words}."
        if change is None or change.low is None or change.high is None:
            return f"{words}, {figures(then)} when v{last.version} was evaluated."
        verdict = (
            "surely worse than" if change.low > 0 else "surely better than" if change.high < 0 else "within chance of"
        )
        return f"{words}, {verdict} the {figures(then)} of v{last.version}'s evaluation."

    def _drift(self) -> str:
        measured = [one for one in self.windows if one.drift]
        if not measured:
            return ""
        last = measured[-1]
        drifted = [one.feature for one in last.drift if one.drifted]
        often = sum(any(one.drifted for one in window.drift) for window in measured)
        if not drifted:
            words = f"None of {len(last.drift)} features had drifted in the newest window"
        else:
            more = f" and {len(drifted) - 3} more" if len(drifted) > 3 else ""
            words = f"In the newest window {', '.join(drifted[:3])}{more} had drifted, of {len(last.drift)} features"
        return f"{words}; something had in {often} of {len(measured)} windows."

    def _alerts(self) -> str:
        if not self.alerts:
            return "No alert was open in this time."
        ended = len(self.alerts) - len(self.opened)
        judged = [one for one in self.alerts if one.useful is not None]
        useful = sum(one.useful is True for one in judged)
        worth = f"; {useful} of {len(judged)} that people judged were useful" if judged else ""
        count = f"{len(self.alerts)} alert{'s were' if len(self.alerts) > 1 else ' was'}"
        return f"{count} open in this time, {ended} of them ended{worth}."


def held_against(window: MonitorReport) -> str:
    """What a window's drift is held against, and why that is not what was asked for.

    Example:
        >>> held_against(MonitorReport(endpoint="late", model="late", version=2, since=0, until=1, predictions=1))
        'Held against the rows that v2 was trained on.'
    """
    rows = {
        "training": f"the rows that v{window.version} was trained on",
        "trailing": f"what v{window.version} answered in the weeks before",
        "season": f"what v{window.version} answered around the same days of earlier years",
    }
    note = window.against_note.rstrip(".")
    return f"Held against {rows[window.against]}." + (f" {note[:1].upper()}{note[1:]}." if note else "")


def metric_of_windows(wanted: str, windows: Sequence[MonitorReport]) -> str:
    """The metric to show: the one wanted where a window has it, else the first that can be better or worse.

    Where no window has labels yet, it is one that was estimated.

    Example:
        >>> early = MonitorReport(
        ...     endpoint="late", model="late", version=1, since=0, until=1, predictions=9,
        ...     estimated={"roc_auc": Measure(0.8)},
        ... )
        >>> metric_of_windows("average_precision", [early])
        'roc_auc'
    """
    known = dict.fromkeys(name for one in windows for name in one.performance)
    return _to_show(wanted, known) or _to_show(wanted, dict.fromkeys(name for one in windows for name in one.estimated))


def _to_show(wanted: str, known: Collection[str]) -> str:
    if wanted in known:
        return wanted
    return next((name for name in known if name in METRICS and METRICS[name].better in {"greater", "lower"}), "")


def bounds(measure: Measure) -> tuple[float, float]:
    """A measure's interval; its value twice where it has none."""
    return (
        measure.value if measure.low is None else measure.low,
        measure.value if measure.high is None else measure.high,
    )
