"""Rules on a window of a table or view: what to say, how loudly, and whether an unbroken one is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from drivetrain.core.clock import SECOND, show_duration
from drivetrain.core.records import ColumnSeen, DataReport, FeatureDrift, Severity, Usual
from drivetrain.evaluate.wording import percent, span
from drivetrain.monitor.alerting.rule import Standing
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.rules import own_findings, own_standing
from drivetrain.monitor.tables.spec import FAMILIES, DataMonitor

Show = Callable[[float], str]


def judge_data(report: DataReport, monitor: DataMonitor) -> list[Finding]:
    """Puts every rule to a window's figures.

    A window without rows breaks ``volume``, unless such windows usually have none, and ``quarantine`` if rows were
    refused; it says nothing of any other rule. Nothing is said where the reference is too short; the report's ``notes``
    say so.
    """
    about = _About(report, monitor)
    if report.missing:
        return [about.finding("table", "critical", f"{report.missing}.", {"missing": report.missing})]
    found = [*_schema(about), *_rows(about)]
    for column in report.columns:
        found += _column(about, column)
    drifted = {one.feature: one for one in (*report.further[::-1], *report.drift[::-1]) if one.drifted}
    plain = {one.rule.partition(".")[2] for one in found}
    found += [_drift(about, one, "info" if name in plain else "warning") for name, one in drifted.items()]
    return found + own_findings(report, monitor.rules, monitor.words)


def stands_data(rule: str, report: DataReport, monitor: DataMonitor) -> Standing:
    """How a rule that a window did not break stands in it; what is not watched any more counts as kept."""
    own = own_standing(rule, report, monitor.rules)
    if own is not None:
        return own
    family = rule.partition(".")[0]
    if family not in FAMILIES or family in {"table", "rules"}:
        return "kept"
    return "kept" if _told(rule, report) else "unknown"


def _told(rule: str, report: DataReport) -> bool:
    """Whether a window had what it takes to judge a rule."""
    family, _, name = rule.partition(".")
    if family == "volume" and not report.missing:
        return report.volume is not None and report.volume.judged
    if family == "schema" or report.missing or not report.rows:
        return family == "schema" and not report.missing
    if not name:
        seen = report.quarantined if family == "quarantine" else getattr(report, family, None)
        return isinstance(seen, Usual) and seen.judged
    return _measured(family, name, report)


def _measured(family: str, name: str, report: DataReport) -> bool:
    if family == "drift":
        return any(one.feature == name for one in report.drift)
    column = next((one for one in report.columns if one.name == name), None)
    if column is None or not report.reference_rows:
        return False
    figure = {"nulls": column.nulls, "infinite": column.infinite, "unseen": column.unseen}.get(family, column.nulls)
    return figure is not None and figure.judged


class _About:
    """What every finding of a window begins with."""

    def __init__(self, report: DataReport, monitor: DataMonitor) -> None:
        self.report = report
        self.words = monitor.words
        self.when = span(report.since, report.until)

    def finding(self, rule: str, severity: Severity, words: str, evidence: dict[str, object]) -> Finding:
        return Finding(rule, severity, f"{self.words}: {words}", {**evidence, "versions": list(self.report.versions)})

    def against(self, seen: Usual, show: Show) -> str:
        low = "" if seen.low is None else show(max(seen.low, 0.0))
        high = "" if seen.high is None else show(seen.high)
        bound = f"{low} to {high}" if low and high else f"up to {high}" if high else f"{low} or more"
        usual = "" if seen.middle is None else f"{show(seen.middle)} is usual, "
        return f"{usual}{bound} by chance over {seen.windows} such windows before"


def _schema(about: _About) -> Iterator[Finding]:
    changed = about.report.changed
    if changed:
        words = f"columns are not what they were in the window of {about.when}: {', '.join(changed)}."
        yield about.finding("schema", "warning", words, {"changed": list(changed)})


def _rows(about: _About) -> Iterator[Finding]:
    report = about.report
    unit = "entities with events" if report.watched.startswith("features:") else "rows"
    volume = report.volume
    if not report.rows and volume is not None:
        usual = "" if volume.middle is None else f"; {_count(volume.middle)} is usual"
        if volume.middle or not volume.judged:
            yield about.finding("volume", "critical", f"no {unit} came for {about.when}{usual}.", _evidence(volume))
        yield from _quarantine(about)  # it may be that all were refused
        return
    for rule, seen, show, what in (
        ("volume", volume, _count, f"{unit} of {about.when} were"),
        ("freshness", report.freshness, _time, f"at the end of {about.when} the newest row was older than usual:"),
        ("freshness", report.arrival, _time, f"half of the rows of {about.when} were known only after"),
        ("age", report.age, _time, f"half of the values on {about.when} rested on events older than"),
        ("expired", report.expired, percent, f"values past their time to live made up, on {about.when},"),
        ("never", report.never, percent, f"entities of which no event was known yet made up, on {about.when},"),
    ):
        if seen is not None and seen.odd and not (rule == "freshness" and seen is report.arrival and _late(report)):
            words = f"{what} {show(seen.value)}; {about.against(seen, show)}."
            yield about.finding(rule, "warning", words, _evidence(seen))
    yield from _quarantine(about)


def _late(report: DataReport) -> bool:
    """One alert is told of freshness; the newest row's age is told where both are odd."""
    return report.freshness is not None and report.freshness.odd


def _quarantine(about: _About) -> Iterator[Finding]:
    report = about.report
    odd = {reason: seen for reason, seen in report.reasons.items() if seen.odd}
    whole = report.quarantined
    if whole is None or not (whole.odd or odd):
        return
    worst = max(odd or report.reasons, key=lambda reason: report.reasons[reason].value, default="")
    why = f", most for {worst}" if worst else ""
    words = (
        f"the contract refused {percent(whole.value)} of the rows delivered for {about.when}{why}; "
        f"{about.against(whole, percent)}."
    )
    reasons = {reason: msgspec.to_builtins(seen) for reason, seen in report.reasons.items()}
    yield about.finding("quarantine", "warning", words, {**_evidence(whole), "reasons": reasons})


def _column(about: _About, one: ColumnSeen) -> Iterator[Finding]:
    when = about.when
    if one.nulls.odd:
        empty = one.nulls.value == 1
        what = (
            f"{one.name} has no value at all on {when}"
            if empty
            else f"{one.name} is null in {percent(one.nulls.value)}"
        )
        rest = "" if empty else f" of the rows of {when}"
        words = f"{what}{rest}; {about.against(one.nulls, percent)}."
        yield about.finding(f"nulls.{one.name}", "critical" if empty else "warning", words, _evidence(one.nulls))
    if one.infinite is not None and one.infinite.odd:
        share = percent(one.infinite.value)
        words = f"{one.name} is infinite in {share} of the rows of {when}; {about.against(one.infinite, percent)}."
        yield about.finding(f"infinite.{one.name}", "warning", words, _evidence(one.infinite))
    if one.constant:
        words = f"{one.name} has one value only on {when}; every window before had several."
        yield about.finding(f"constant.{one.name}", "warning", words, {})
    if one.outside and one.reference_low is None:
        words = f"{percent(one.outside)} of the values of {one.name} on {when} lie far outside what it had before."
        yield about.finding(f"range.{one.name}", "warning", words, {"outside": one.outside})
    elif one.outside:
        words = (
            f"{percent(one.outside)} of the values of {one.name} on {when} lie far outside what it had before: "
            f"{_reach(one.low, one.high)}, where it was {_reach(one.reference_low, one.reference_high)}."
        )
        evidence = {"low": one.low, "high": one.high, "before": [one.reference_low, one.reference_high]}
        yield about.finding(f"range.{one.name}", "warning", words, {"outside": one.outside, **evidence})
    if one.unseen is not None and one.unseen.odd:
        new = f" ({', '.join(one.new)})" if one.new else ""
        words = (
            f"{percent(one.unseen.value)} of the rows of {when} have a {one.name} never seen before{new}; "
            f"{about.against(one.unseen, percent)}."
        )
        yield about.finding(f"unseen.{one.name}", "warning", words, {**_evidence(one.unseen), "new": list(one.new)})


def _drift(about: _About, one: FeatureDrift, severity: Severity) -> Finding:
    """Drift is for the record only where another rule has said of the same column what is wrong with it."""
    report = about.report
    since = span(report.reference_since, report.reference_until)
    nulls = ""
    if abs(one.null_share - one.reference_null_share) > 0.05:
        nulls = f"; nulls {percent(one.null_share)}, {percent(one.reference_null_share)} then"
    words = (
        f"{one.feature} on {about.when} is unlike any stretch of {since}: {one.statistic} {one.value:.3g}, where up to "
        f"{one.threshold:.3g} is chance{nulls}."
    )
    return about.finding(f"drift.{one.feature}", severity, words, msgspec.to_builtins(one))


def _evidence(seen: Usual) -> dict[str, object]:
    return {"value": seen.value, "usual": seen.middle, "low": seen.low, "high": seen.high, "windows": seen.windows}


def _reach(low: float | None, high: float | None) -> str:
    """Two ends of a range, to four digits.

    Example:
        >>> _reach(2.12825, 14771.3)
        '2.128 to 14,771'
    """
    return " to ".join(f"{end:,.0f}" if abs(end) >= 1_000 else f"{end:.4g}" for end in (low or 0.0, high or 0.0))


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _time(seconds: float) -> str:
    return show_duration(round(seconds) * SECOND) if seconds >= 1 else "no time"
