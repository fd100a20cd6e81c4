"""Gates on fairness put to the report: each names the groups, their rates and the interval."""

from __future__ import annotations

from drivetrain.core.records import Disparity, FairnessReport, GateOutcome
from drivetrain.evaluate.fairness.wording import rate_of, who
from drivetrain.evaluate.gate import FairnessGate
from drivetrain.evaluate.parity import RATES, disparity_of
from drivetrain.evaluate.wording import figure, figures, percent


def fairness_outcomes(gate: FairnessGate, report: FairnessReport | None) -> list[GateOutcome]:
    """The gate's answer, for each way to tell rows apart that it is asked of."""
    title = disparity_of(gate.metric).title
    if report is None:
        reason = f"No: {title} was not measured: the model declares no protected attribute, or is no yes-or-no model."
        return [_no(gate, gate.column, reason)]
    known = dict.fromkeys(" × ".join(each.attributes) for each in report.groups)
    if gate.column is not None and gate.column not in known:
        return [_no(gate, gate.column, f"No: rows are not told apart by {gate.column}, only by {', '.join(known)}.")]
    columns = list(known) if gate.column is None else [gate.column]
    measured = {each.column: each for each in report.disparities if each.metric == gate.metric}
    if gate.column is None:  # what is too small to compare is refused only where it was asked of by name
        columns = [column for column in columns if column in measured] or columns[:1]
    return [
        _judged(gate, measured[column], report)
        if column in measured
        else _no(gate, column, f"No: {title} by {column} can't be told: fewer than two groups are large enough.")
        for column in columns
    ]


def _judged(gate: FairnessGate, found: Disparity, report: FairnessReport) -> GateOutcome:
    title, bound = disparity_of(gate.metric).title, _bound(gate)
    value: float | None = found.value.value
    if gate.surely:
        value = found.value.high if gate.at_most is not None else found.value.low
    if value is None:
        reason = f"No: {title} by {found.column} has no interval: its rows span too few days."
        return _no(gate, found.column, reason)
    passed = value <= bound if gate.at_most is not None else value >= bound
    relation = {
        (True, True): "is at most", (True, False): "is above", (False, True): "is at least", (False, False): "is below",
    }[gate.at_most is not None, passed]  # fmt: skip
    judged = "the worse bound of " if gate.surely else ""
    reason = (
        f"{'Yes' if passed else 'No'}: {judged}{title} {figures(found.value)} by {found.column} {relation} "
        f"{figure(bound)}; {_groups(found, report)}."
    )
    return GateOutcome(f"{gate.metric} by {found.column}", passed, value, bound, reason)


def _groups(found: Disparity, report: FairnessReport) -> str:
    told = []
    for name in (found.low_group, found.high_group):
        rate = rate_of(report, found.attributes, name, found.rate)
        rows = "" if rate is None else f" {percent(rate.value)} of {rate.count:,}"
        told.append(f"{who(found.attributes, name)}{rows}")
    return f"farthest apart are {told[0]} and {told[1]}, by {RATES[found.rate].meaning.replace('its ', 'the ', 1)}"


def _no(gate: FairnessGate, column: str | None, reason: str) -> GateOutcome:
    return GateOutcome(f"{gate.metric} by {column}" if column else gate.metric, False, None, _bound(gate), reason)  # noqa: FBT003


def _bound(gate: FairnessGate) -> float:
    bound = gate.at_most if gate.at_most is not None else gate.at_least
    assert bound is not None, "checked when the gate was made"
    return bound
