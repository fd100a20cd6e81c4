"""Gates on what a model costs, and on the rows it learned from, put to the evaluation."""

from __future__ import annotations

from drivetrain.core.records import Cost, Evaluation, GateOutcome, Intake
from drivetrain.evaluate.cost.wording import kept_contract
from drivetrain.evaluate.gate import ContractGate, CostGate
from drivetrain.evaluate.wording import micros, percent, size


def cost_outcomes(gate: CostGate, evaluation: Evaluation) -> list[GateOutcome]:
    """The gate's answer to the bound, and to the champion, as far as it asks for each."""
    ours = None if evaluation.cost is None else _value(gate, evaluation.cost)
    if ours is None:
        return [GateOutcome(gate.metric, False, None, gate.at_most, f"No: {_what(gate)} was not measured.")]  # noqa: FBT003
    found = []
    if gate.at_most is not None:
        passed = ours <= gate.at_most
        reason = (
            f"{_yes(passed)}: {_said(gate, ours, evaluation.cost)}; at most {_told(gate, gate.at_most)} is allowed."
        )
        found.append(GateOutcome(gate.metric, passed, ours, gate.at_most, reason))
    if gate.times is not None:
        found.append(_beside(gate, ours, evaluation))
    return found


def contract_outcomes(gate: ContractGate, intakes: tuple[Intake, ...]) -> list[GateOutcome]:
    """The gate's answer for each table that breaks it, or one for all that don't."""
    bound = gate.at_most or 0.0
    if not any(each.checked for each in intakes):
        names = " and ".join(each.table for each in intakes) or "the training set"
        reason = f"No: nothing was promised of its rows: {names} declares no contract."
        return [GateOutcome("contract", False, None, bound, reason)]  # noqa: FBT003
    known = [each for each in intakes if each.checked]
    broken = [each for each in known if each.share > bound]
    if not broken:
        told = "; ".join(kept_contract(each) for each in intakes)
        worst = max(each.share for each in known)
        return [GateOutcome("contract", True, worst, bound, f"Yes: {told}; at most {percent(bound)} may break it.")]  # noqa: FBT003
    return [
        GateOutcome(
            f"contract of {each.table}",
            False,  # noqa: FBT003
            each.share,
            bound,
            f"No: {kept_contract(each)}; at most {percent(bound)} may break its contract.",
        )
        for each in broken
    ]


def _beside(gate: CostGate, ours: float, evaluation: Evaluation) -> GateOutcome:
    champion = evaluation.champion_cost
    assert gate.times is not None, "the gate asks for it"
    theirs = None if champion is None else _value(gate, champion)
    if champion is None or not theirs:
        reason = "Yes: there is no champion that could be asked the same, so there is nothing to compare with."
        return GateOutcome(f"{gate.metric} against champion", True, None, gate.times, reason)  # noqa: FBT003
    ratio = ours / theirs
    passed = ratio <= gate.times
    reason = (
        f"{_yes(passed)}: {_said(gate, ours, evaluation.cost)}, {ratio:.2f} times that of {champion.of}, "
        f"{_told(gate, theirs)}; at most {gate.times:g} times is allowed."
    )
    return GateOutcome(f"{gate.metric} against {champion.of}", passed, ratio, gate.times, reason)


def _value(gate: CostGate, cost: Cost) -> float | None:
    if gate.metric == "size":
        return float(cost.size)
    return cost.row_p99_us if gate.quantile == "p99" else cost.row_p50_us


def _said(gate: CostGate, value: float, cost: Cost | None) -> str:
    if gate.metric == "size":
        return f"what is served takes up {size(int(value))}"
    many = "99 of 100" if gate.quantile == "p99" else "half"
    return f"{many} of {cost.rows_timed if cost else 0:,} single rows were answered within {micros(value)}"


def _what(gate: CostGate) -> str:
    return "the size of what is served" if gate.metric == "size" else "the time of an answer"


def _told(gate: CostGate, value: float) -> str:
    return size(int(value)) if gate.metric == "size" else micros(value)


def _yes(passed: bool) -> str:  # noqa: FBT001 - it is what the word says
    return "Yes" if passed else "No"
