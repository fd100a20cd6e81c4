"""Rules on estimates: a fall before labels are there, and a gap once they are, which no estimate can see."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import Measure, MonitorReport
from drivetrain.evaluate.metrics import AT_RATE, METRICS
from drivetrain.evaluate.wording import figure, figures, percent, span
from drivetrain.monitor.finding import Finding, Severity
from drivetrain.monitor.performance import worsening
from drivetrain.monitor.spec import Performance

GAP = "estimated.gap"
LEVEL = 0.99
"""Coverage of a gap's interval: a word about concept drift is wrong once in a hundred windows, not once in twenty."""


def gaps(estimated: dict[str, Measure], real: dict[str, Measure]) -> dict[str, Measure]:
    """Estimated minus real, each with its interval.

    Args:
        estimated: Estimates on the rows whose labels have come; their intervals are where the real figure should fall.
        real: What those labels show.

    Returns:
        Metric → its gap; an interval that leaves out nought is more than the estimate allows for.
    """
    found: dict[str, Measure] = {}
    for name, one in estimated.items():
        there = real.get(name)
        if there is not None and one.low is not None and one.high is not None:
            found[name] = Measure(
                one.value - there.value, one.low - there.value, one.high - there.value, there.count, one.level
            )
    return found


def judge_estimates(report: MonitorReport, asked: Performance) -> list[Finding]:
    """Says which metrics are surely estimated to have fallen, and whether labels contradict the estimate.

    A metric that labels already tell of is left to them.
    """
    if not asked.estimated or report.estimation is None:
        return []
    found: list[Finding] = []
    for metric, drop in asked.drops.items():
        real = report.performance.get(metric)
        if report.labelled >= asked.min_labels and real is not None and real.low is not None:
            continue
        fall = _fall(report, metric, drop)
        if fall is not None:
            found.append(fall)
    gap = _gap(report, asked)
    return found if gap is None else [*found, gap]


def missed(report: MonitorReport, metric: str) -> str:
    """That the estimate of a metric missed what its labels show: a sentence, or nothing where it did not."""
    told = report.estimation
    gap, real = (None if told is None else told.gaps.get(metric)), report.performance.get(metric)
    if gap is None or gap.low is None or gap.high is None or real is None or gap.low <= 0.0 <= gap.high:
        return ""
    return (
        f"The estimate without labels could not see it (concept drift): it is {figure(gap.value + real.value)} for the "
        "same rows."
    )


def _fall(report: MonitorReport, metric: str, drop: float) -> Finding | None:
    now, then = report.estimated.get(metric), report.reference.get(metric)
    change = None if now is None or then is None else worsening(metric, now, then)
    if now is None or then is None or change is None or change.low is None or change.low <= drop:
        return None
    assert report.estimation is not None
    title, greater = METRICS[metric].title, METRICS[metric].better == "greater"
    message = (
        f"{report.endpoint}: {title} is estimated to have {'fallen' if greater else 'risen'} to {figures(now)} on "
        f"{now.count:,} predictions of {span(report.since, report.until)}, from {figures(then)} when v{report.version} "
        f"was evaluated{_rates(report)}."
    )
    severity: Severity = "warning"
    at_rate = report.estimated.get(AT_RATE)
    if metric == "average_precision" and at_rate is not None:
        left = worsening(metric, at_rate, then)
        message += f" At the base rate of then it would be {figures(at_rate)}"
        if left is not None and left.low is not None and left.low <= drop:  # as of the fall that labels show
            severity = "info"
            message += ", so fewer positives explain the fall within its uncertainty"
        message += "."
    message += f" Labels have arrived for {percent(report.label_share)} of them. {report.estimation.assumes}"
    evidence: dict[str, object] = {
        "metric": metric,
        "estimated": msgspec.to_builtins(now),
        "then": msgspec.to_builtins(then),
        "worse_by": msgspec.to_builtins(change),
        "allowed": drop,
        "method": report.estimation.method,
        "shift": report.estimation.shift,
        "effective_rows": report.estimation.effective,
        "label_share": report.label_share,
    }
    return Finding(f"estimated.{metric}", severity, message, evidence)


def _gap(report: MonitorReport, asked: Performance) -> Finding | None:
    assert report.estimation is not None
    gap = report.estimation.gaps.get(asked.metric)
    real = report.performance.get(asked.metric)
    if gap is None or gap.low is None or gap.high is None or real is None or gap.low <= 0.0 <= gap.high:
        return None
    metric = METRICS[asked.metric]
    if (gap.value > 0) != (metric.better == "greater"):  # better than estimated is in the report, and nobody's alarm
        return None
    size = min(abs(gap.low), abs(gap.high))
    message = (
        f"{report.endpoint}: {metric.title} of {span(report.since, report.until)} is {figures(real)} on "
        f"{real.count:,} labels, worse than the {gap.value + real.value:.3f} estimated for "
        f"the same rows by more than the estimate allows for (at least {size:.3f}). That is concept drift: labels "
        "follow the inputs otherwise than when the version was evaluated. The estimate could not see it, and is as far "
        "off wherever labels are still to come."
    )
    evidence: dict[str, object] = {
        "metric": asked.metric,
        "gap": msgspec.to_builtins(gap),
        "real": msgspec.to_builtins(real),
        "labelled": report.labelled,
    }
    return Finding(GAP, "warning" if size > asked.drop / 2 else "info", message, evidence)


def _rates(report: MonitorReport) -> str:
    now, then = report.estimated.get("base_rate"), report.reference.get("base_rate")
    if now is None or then is None:
        return ""
    return f"; base rate estimated {percent(now.value)}, {percent(then.value)} then"
