"""Rules on groups and segments put to a window: each names whom it is about, and the figures."""

from __future__ import annotations

import math

import msgspec

from drivetrain.core.records import Disparity, Measure, MonitorReport, SegmentSeen
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.parity import RATES, disparity_of
from drivetrain.evaluate.wording import figure, figures, percent, span
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.groups.spec import Fairness, Segments
from drivetrain.monitor.performance import worsening

_TOLD = 3


def judge_groups(report: MonitorReport, asked: Fairness) -> list[Finding]:
    """A finding for each measure in which groups surely lie too far apart; the attribute that is worst is named."""
    seen = report.groups
    if seen is None:
        return []
    found: dict[str, list[tuple[Disparity, str]]] = {}
    for each in seen.disparities:
        key = f"{each.metric} by {each.column}"
        reason = _beyond(each, seen.limits.get(key), seen.then.get(key), asked.wider)
        if reason:
            found.setdefault(each.metric, []).append((each, reason))
    return [_finding(report, metric, broken) for metric, broken in found.items()]


def groups_judged(measure: str, report: MonitorReport, asked: Fairness | None) -> bool:
    """Whether a window could tell of a measure of fairness; one that is not asked for any more counts as told."""
    if asked is None or measure not in asked.measures:
        return True
    gaps = report.groups.disparities if report.groups else ()
    return any(each.metric == measure and each.value.low is not None for each in gaps)


def segments_judged(metric: str, report: MonitorReport, asked: Segments | None) -> bool:
    """Whether a window could tell of any segment's metric; one that is not asked for any more counts as told."""
    if asked is None or asked.drop is None:
        return True
    return any(one.metric == metric and one.now is not None and one.now.low is not None for one in report.segments)


def _beyond(each: Disparity, limit: float | None, then: Measure | None, wider: float | None) -> str:
    """Why a gap is too wide, in words; empty where it may be borne."""
    now, ratio = each.value, disparity_of(each.metric).kind == "ratio"
    if now.low is None or now.high is None:
        return ""
    if limit is not None and (now.high < limit if ratio else now.low > limit):
        return f"{figure(limit)} is allowed"
    if ratio or wider is None or then is None or then.low is None or then.high is None:
        return ""
    # How much wider the gap has grown, with the uncertainty of both sides (MOVER; Zou and Donner 2008).
    least = now.value - then.value - math.hypot(now.value - now.low, then.high - then.value)
    return f"surely more than {figure(wider)} wider than the {figures(then)} of its evaluation" if least > wider else ""


def _finding(report: MonitorReport, metric: str, broken: list[tuple[Disparity, str]]) -> Finding:
    # One attribute alone says it better than several together, which lie farther apart by being more.
    each, reason = min(broken, key=lambda one: (len(one[0].attributes), -abs(one[0].value.value - _parity(metric))))
    others = [one.column for one, _ in broken if one is not each]
    title = disparity_of(metric).title
    groups = " and ".join(_who(report, each, name) for name in (each.low_group, each.high_group))
    message = (
        f"{report.endpoint}: {title} by {each.column} is {figures(each.value)} on {each.value.count:,} answers of "
        f"{span(report.since, report.until)}, where {reason}; farthest apart are {groups}, by "
        f"{RATES[each.rate].meaning.replace('its ', 'the ', 1)}."
    )
    if others:
        message += f" Too wide as well by {', '.join(others)}."
    evidence: dict[str, object] = {
        "measure": metric,
        "threshold": report.groups.threshold if report.groups else None,
        "gaps": [msgspec.to_builtins(one) for one, _ in broken],
        "reasons": [why for _, why in broken],
    }
    return Finding(f"fairness.{metric}", "warning", message, evidence)


def _parity(metric: str) -> float:
    return 1.0 if disparity_of(metric).kind == "ratio" else 0.0


def _who(report: MonitorReport, each: Disparity, name: str) -> str:
    for group in report.groups.groups if report.groups else ():
        if tuple(group.attributes) == each.attributes and group.name == name and each.rate in group.rates:
            rate = group.rates[each.rate]
            return f"{name} ({percent(rate.value)} of {rate.count:,})"
    return name


def judge_segments(report: MonitorReport, drop: float) -> list[Finding]:
    """One finding where the metric surely fell in some segment and did not fall as a whole: that is told already."""
    fallen = [one for one in report.segments if _fell(one, drop)]
    if not fallen:
        return []
    metric = fallen[0].metric
    whole, then = report.performance.get(metric), report.reference.get(metric)
    change = worsening(metric, whole, then) if whole is not None and then is not None else None
    if change is not None and change.low is not None and change.low > drop:
        return []
    told = "; ".join(_segment(one) for one in sorted(fallen, key=lambda one: -one.count)[:_TOLD])
    more = f"; and in {len(fallen) - _TOLD} more" if len(fallen) > _TOLD else ""
    message = (
        f"{report.endpoint}: {METRICS[metric].title} surely is worse by more than {figure(drop)} in a part of the rows "
        f"of {span(report.since, report.until)}, though not in all together: {told}{more}."
    )
    return [
        Finding(f"segment.{metric}", "warning", message, {"segments": msgspec.to_builtins(fallen), "allowed": drop})
    ]


def _fell(one: SegmentSeen, drop: float) -> bool:
    if one.now is None or one.then is None:
        return False
    change = worsening(one.metric, one.now, one.then)
    return change is not None and change.low is not None and change.low > drop


def _segment(one: SegmentSeen) -> str:
    now, then = (figures(each) if each else "" for each in (one.now, one.then))
    return f"where {one.column} is {one.value}, {now} on {one.count:,} labels, {then} then"
