"""Gates put to an evaluation: each answers in figures and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.records import Comparison, Evaluation, GateOutcome, GateReport, Measure
from drivetrain.evaluate.behaviour.verdict import behaviour_outcomes
from drivetrain.evaluate.cost.verdict import contract_outcomes, cost_outcomes
from drivetrain.evaluate.fairness.verdict import fairness_outcomes
from drivetrain.evaluate.gate import Approval, BehaviourGate, ContractGate, CostGate, FairnessGate, Gate
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.probes import Probes
from drivetrain.evaluate.wording import figure, figures


def check(
    gates: Sequence[Gate], evaluation: Evaluation, probes: Probes = Probes(), *, now: Micros | None = None
) -> GateReport:
    """Puts every gate to an evaluation; all are asked, also after one says no.

    Args:
        gates: The rules; an empty sequence passes and says so.
        evaluation: The record they judge; gates that name no metric ask for that of its objective.
        probes: What else was looked at on the same rows, for the gates on that.
        now: The report's moment; the present by default.
    """
    outcomes: list[GateOutcome] = []
    for gate in (each.on(evaluation.task.kind, evaluation.metric) for each in gates):
        if isinstance(gate, Approval):
            outcomes.append(_waiting(gate))
        elif isinstance(gate, FairnessGate):
            outcomes += fairness_outcomes(gate, probes.fairness)
        elif isinstance(gate, BehaviourGate):
            outcomes += behaviour_outcomes(probes.behaviours)
        elif isinstance(gate, CostGate):
            outcomes += cost_outcomes(gate, evaluation)
        elif isinstance(gate, ContractGate):
            outcomes += contract_outcomes(gate, evaluation.intakes)
        elif gate.against == "champion":
            outcomes += _champion(gate, evaluation)
        elif gate.against == "baseline":
            outcomes += _baselines(gate, evaluation)
        elif gate.column is not None:
            outcomes.append(_slices(gate, evaluation))
        else:
            outcomes.append(_absolute(gate, evaluation))
    if not gates:
        outcomes.append(_yes("none", None, None, "The project asks for no gate, so nothing was checked."))
    return GateReport(tuple(outcomes), clock.now() if now is None else now)


def _waiting(gate: Approval) -> GateOutcome:
    who = f" by {' or '.join(gate.by)}" if gate.by else ""
    return GateOutcome("approval", False, None, None, f"It waits for approval{who}.", waits=gate.by)  # noqa: FBT003


def _absolute(gate: Gate, evaluation: Evaluation) -> GateOutcome:
    title = METRICS[gate.metric].title
    measure = evaluation.metrics.get(gate.metric)
    if measure is None:
        return _no(gate.metric, None, _bound(gate), f"No: {title} could not be measured.")
    found = _judged(gate, measure)
    if found is None:
        return _no(
            gate.metric, measure.value, _bound(gate), f"No: {title} has no interval: its rows span too few days."
        )
    passed = _within(gate, found)
    judged = "the worse bound of " if gate.surely else ""
    reason = (
        f"{'Yes' if passed else 'No'}: {judged}{title} {figures(measure)} on {measure.count:,} rows "
        f"{_relation(gate, passed=passed)}."
    )
    return GateOutcome(gate.metric, passed, found, _bound(gate), reason)


def _champion(gate: Gate, evaluation: Evaluation) -> list[GateOutcome]:
    rivals = [other for other in evaluation.comparisons if other.against.startswith("champion")]
    if not rivals:
        reason = "Yes: there is no champion yet, so there is nothing to beat."
        return [_yes(f"{gate.metric} against champion", None, gate.margin, reason)]
    return [_compare(gate, rival) for rival in rivals if rival.metric == gate.metric]


def _baselines(gate: Gate, evaluation: Evaluation) -> list[GateOutcome]:
    rivals = [
        other
        for other in evaluation.comparisons
        if other.against.startswith("baseline") and other.metric == gate.metric
    ]
    if not rivals:
        reason = "No: no baseline was evaluated beside the model; declare one, or drop this gate."
        return [_no(f"{gate.metric} against baselines", None, gate.margin, reason)]
    return [_compare(gate, rival) for rival in rivals]


def _compare(gate: Gate, rival: Comparison) -> GateOutcome:
    name = f"{gate.metric} against {rival.against}"
    title, gap = METRICS[gate.metric].title, rival.difference
    both = f"{title} {figure(rival.ours)} against {figure(rival.theirs)} of {rival.against} on the same rows"
    if gap.low is None:
        return _no(name, None, gate.margin, f"No: {both}, but they span too few days to tell luck apart.")
    passed = gap.low > gate.margin
    asked = {
        True: "better, and surely so" if gate.margin == 0 else f"better by more than {figure(gate.margin)}",
        False: f"not worse by {figure(-gate.margin)} or more",
    }[gate.margin >= 0]
    reason = f"{'Yes' if passed else 'No'}: {both}; gain {figures(gap, sign=True)}. Asked: {asked}."
    return GateOutcome(name, passed, gap.low, gate.margin, reason)


def _slices(gate: Gate, evaluation: Evaluation) -> GateOutcome:
    name = f"{gate.metric} by {gate.column}" + (f" = {gate.value}" if gate.value is not None else "")
    title = METRICS[gate.metric].title
    of_column = [other for other in evaluation.slices if other.column == gate.column]
    chosen = [other for other in of_column if gate.value is None or other.value == gate.value]
    if not chosen:
        known = sorted({other.value for other in of_column} if of_column else {o.column for o in evaluation.slices})
        missing = f"{gate.column} = {gate.value}" if of_column else f"slices by {gate.column}"
        reason = f"No: the evaluation has no {missing}; it has {', '.join(known) or 'no slices at all'}."
        return _no(name, None, _bound(gate), reason)
    told = [(other, other.metrics[gate.metric]) for other in chosen if gate.metric in other.metrics]
    if not told:
        reason = f"No: no slice by {gate.column} has rows enough to measure {title}."
        return _no(name, None, _bound(gate), reason)
    worst, measure = min(told, key=lambda item: item[1].value * (1 if gate.at_least is not None else -1))
    beyond = [
        (other, found)
        for other, found in told
        if (best := found.high if gate.at_least is not None else found.low) is not None and not _within(gate, best)
    ]
    if beyond:
        words = "; ".join(f"{other.value} {figures(found)} on {other.count:,} rows" for other, found in beyond[:5])
        reason = f"No: {title} surely {_relation(gate, passed=False)} for {words}."
        return _no(name, beyond[0][1].value, _bound(gate), reason)
    few = len(chosen) - len(told)
    left_out = f"; {few} too small to tell" if few else ""
    reason = (
        f"Yes: of {len(told)} measured by {gate.column} none surely {_relation(gate, passed=False)} in {title}; the "
        f"lowest is {worst.value} at {figures(measure)} on {worst.count:,} rows{left_out}."
    )
    if gate.at_least is None:
        reason = reason.replace("the lowest is", "the highest is")
    return _yes(name, measure.value, _bound(gate), reason)


def _yes(gate: str, found: float | None, expected: float | None, reason: str) -> GateOutcome:
    return GateOutcome(gate=gate, passed=True, found=found, expected=expected, reason=reason)


def _no(gate: str, found: float | None, expected: float | None, reason: str) -> GateOutcome:
    return GateOutcome(gate=gate, passed=False, found=found, expected=expected, reason=reason)


def _judged(gate: Gate, measure: Measure) -> float | None:
    if not gate.surely:
        return measure.value
    return measure.low if gate.at_least is not None else measure.high


def _within(gate: Gate, found: float) -> bool:
    return (gate.at_least is None or found >= gate.at_least) and (gate.at_most is None or found <= gate.at_most)


def _bound(gate: Gate) -> float | None:
    return gate.at_least if gate.at_least is not None else gate.at_most


def _relation(gate: Gate, *, passed: bool) -> str:
    if gate.at_least is not None and gate.at_most is not None:
        return f"{'lies' if passed else 'does not lie'} between {figure(gate.at_least)} and {figure(gate.at_most)}"
    if gate.at_least is not None:
        return f"{'is at least' if passed else 'is below'} {figure(gate.at_least)}"
    return f"{'is at most' if passed else 'is above'} {figure(gate.at_most or 0.0)}"
