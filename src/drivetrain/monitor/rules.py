"""Rules on a report: what to say, and how loudly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from drivetrain.core.records import DataReport, Measure, MonitorReport
from drivetrain.evaluate.metrics import AT_RATE, METRICS
from drivetrain.evaluate.wording import figures, percent, span
from drivetrain.monitor.alerting.rule import Rule, Standing
from drivetrain.monitor.attribution.judging import attribution_judged
from drivetrain.monitor.finding import Finding, Severity
from drivetrain.monitor.groups.judging import groups_judged, segments_judged
from drivetrain.monitor.joint.judge import JOINT
from drivetrain.monitor.performance import worsening
from drivetrain.monitor.spec import Monitor, Performance
from drivetrain.monitor.worth.measuring import worth_judged

_CLOSER: Mapping[str, Callable[[str, MonitorReport, Monitor], bool]] = {
    "fairness": lambda name, report, monitor: groups_judged(name, report, monitor.fairness),
    "segment": lambda name, report, monitor: segments_judged(name, report, monitor.segments),
    "business": lambda name, report, monitor: worth_judged(name, report, monitor.business),
    "attribution": lambda _, report, monitor: attribution_judged(report, monitor.attribution),
}
"""Family of rules on what is looked at more closely → whether a window had what it takes to judge one of them."""


def judge(report: MonitorReport, monitor: Monitor) -> list[Finding]:
    """Puts the monitor's rules on performance, calibration and latency to a report.

    Nothing is said about performance below ``min_labels`` labels or four days of them: silence there is ignorance, and
    the report's ``labelled`` says so.
    """
    found: list[Finding] = []
    asked = monitor.performance
    if asked is not None and report.labelled >= asked.min_labels:
        found += [
            finding
            for metric, drop in asked.drops.items()
            if (finding := _fall(report, asked, metric, drop)) is not None
        ]
        if asked.calibration is not None and (gap := _calibration(report, asked.calibration)) is not None:
            found.append(gap)
    slow = report.latency_p99_us / 1000
    if monitor.latency_ms is not None and slow > monitor.latency_ms:
        message = (
            f"{report.endpoint}: one answer in a hundred took {slow:.1f} ms or longer on {_when(report)}, more than "
            f"the {monitor.latency_ms:g} ms allowed; half took under {report.latency_p50_us / 1000:.1f} ms."
        )
        found.append(Finding("latency", "warning", message, {"p99_ms": slow, "allowed_ms": monitor.latency_ms}))
    return found + own_findings(report, monitor.rules, report.endpoint)


def stands(rule: str, report: MonitorReport, monitor: Monitor) -> Standing:
    """How a rule that a window did not break stands in it; one the monitor no longer asks for counts as kept."""
    own = own_standing(rule, report, monitor.rules)
    if own is not None:
        return own
    family, _, subject = rule.partition(".")
    closer = _CLOSER.get(family)
    known = judged(rule, report, monitor) if closer is None else closer(subject, report, monitor)
    return "kept" if known else "unknown"


def own_standing(rule: str, report: MonitorReport | DataReport, rules: Sequence[Rule]) -> Standing | None:
    """How one of the project's own rules stands; none where it is no such rule."""
    own = next((one for one in rules if one.name == rule), None)
    if own is None:
        return None
    try:
        return own.standing(report)
    except Exception:  # noqa: BLE001 - whatever a project's rule raises: `own_findings` tells of it
        return "unknown"


def judged(rule: str, report: MonitorReport, monitor: Monitor) -> bool:
    """Whether a window had what it takes to judge a rule; one the monitor no longer asks for counts as judged."""
    family, _, metric = rule.partition(".")
    if family in {"performance", "calibration", "estimated", "concept"}:
        return _judged_by_labels(family, metric, report, monitor.performance)
    if family in {"drift", "inputs"}:
        asked = monitor.drift
        if rule == JOINT:
            return asked is None or not asked.joint or bool(report.joint)
        return asked is None or report.output is not None
    return report.predictions > 0


def _judged_by_labels(family: str, metric: str, report: MonitorReport, asked: Performance | None) -> bool:
    if asked is None:
        return True
    if family == "concept":
        told = report.concept
        return asked.concept is None or (told is not None and told.labels >= asked.min_labels)
    if family == "estimated":
        if not asked.estimated or report.estimation is None:
            return not asked.estimated
        return bool(report.estimation.gaps) if metric == "gap" else metric in report.estimated
    name = metric if family == "performance" else "calibration_gap"
    if family == "performance" and name not in asked.drops:
        return True
    measure = report.performance.get(name)
    return report.labelled >= asked.min_labels and measure is not None and measure.low is not None


def own_findings(report: MonitorReport | DataReport, rules: Sequence[Rule], about: str) -> list[Finding]:
    """What the project's own rules find; one that fails is told of, and stops no other.

    Args:
        report: The window.
        rules: The rules.
        about: What is watched, in words.
    """
    found: list[Finding] = []
    failures: dict[str, str] = {}
    for rule in rules:
        try:
            finding = rule.finding(report)
        except Exception as error:  # noqa: BLE001 - a project's own code: it may raise whatever it likes
            failures[rule.name] = _failure(rule, error)
        else:
            found += [] if finding is None else [finding]
    if failures:
        message = f"{about}: {'; '.join(failures.values())}. Mend it in the project: until then nobody is told."
        found.append(Finding("rules", "warning", message, dict(failures)))
    return found


def _failure(rule: Rule, error: Exception) -> str:
    return f"rule {rule.name!r} can't be judged: {type(error).__name__}: {error}".rstrip(": .")


def _fall(report: MonitorReport, asked: Performance, metric: str, drop: float) -> Finding | None:
    now, then = report.performance.get(metric), report.reference.get(metric)
    if now is None or then is None:
        return None
    change = worsening(metric, now, then)
    if change is None or change.low is None or change.low <= drop:
        return None
    severity: Severity = "critical" if metric == asked.metric else "warning"
    greater = METRICS[metric].better == "greater"
    message = (
        f"{report.endpoint}: {METRICS[metric].title} {'fell' if greater else 'rose'} to {figures(now)} on "
        f"{report.labelled:,} predictions of {_when(report)}, from {figures(then)} when v{report.version} was "
        f"evaluated{_rates(report)}."
    )
    at_rate = report.performance.get(AT_RATE)
    if metric == "average_precision" and at_rate is not None:
        kept = worsening(metric, at_rate, then)
        message += f" At the base rate of then it would be {figures(at_rate)}"
        if kept is not None and kept.low is not None and kept.low <= drop:
            # Average precision falls with the base rate whatever the model does: that alone is nobody's alarm.
            severity = "info"
            message += ", so fewer positives explain the fall within its uncertainty"
        message += "."
    message += _arrived(report)
    evidence = {
        "metric": metric,
        "now": msgspec.to_builtins(now),
        "then": msgspec.to_builtins(then),
        "worse_by": msgspec.to_builtins(change),
        "allowed": drop,
        "labelled": report.labelled,
        "label_share": report.label_share,
    }
    return Finding(f"performance.{metric}", severity, message, evidence)


def _calibration(report: MonitorReport, allowed: float) -> Finding | None:
    gap = report.performance.get("calibration_gap")
    said, came = report.performance.get("mean_prediction"), report.performance.get("base_rate")
    if gap is None or said is None or came is None or gap.low is None or gap.high is None:
        return None
    nearest = max(gap.low, -gap.high)
    if nearest <= allowed:
        return None
    message = (
        f"{report.endpoint}: predictions of {_when(report)} are too {'high' if gap.value > 0 else 'low'}: "
        f"{percent(said.value)} on average, where {percent(came.value)} came true ({report.labelled:,} labels; the gap "
        f"is surely wider than {percent(nearest)}, {percent(allowed)} is allowed)."
    )
    evidence: dict[str, object] = {
        "gap": msgspec.to_builtins(gap),
        "mean_prediction": said.value,
        "base_rate": came.value,
        "allowed": allowed,
        "labelled": report.labelled,
        "label_share": report.label_share,
    }
    return Finding("calibration", "warning", message + _arrived(report), evidence)


def _rates(report: MonitorReport) -> str:
    now, then = report.performance.get("base_rate"), report.reference.get("base_rate")
    if now is None:
        return ""
    return f"; base rate {percent(now.value)}" + (f", {percent(then.value)} then" if isinstance(then, Measure) else "")


def _arrived(report: MonitorReport) -> str:
    if report.label_share >= 0.995:
        return ""
    return f" Labels have arrived for {percent(report.label_share)} of the window's {report.predictions:,} predictions."


def _when(report: MonitorReport) -> str:
    return span(report.since, report.until)
