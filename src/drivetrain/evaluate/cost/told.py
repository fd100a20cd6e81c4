"""What a model costs, as cards and pages tell it."""

from __future__ import annotations

from typing import Any

from drivetrain.core.records import Evaluation
from drivetrain.evaluate.cost.wording import beside_champion, in_short, kept_contract, lines


def cost_told(evaluation: Evaluation | None) -> dict[str, Any]:
    """Everything that templates read of it; nothing of an evaluation from before it was measured."""
    cost = None if evaluation is None else evaluation.cost
    if evaluation is None or cost is None:
        return {"cost": None, "champion_cost": None, "cost_said": [], "cost_lines": [], "intakes": []}
    champion = evaluation.champion_cost
    return {
        "cost": cost,
        "champion_cost": champion,
        "cost_said": [said for said in (in_short(cost), beside_champion(cost, champion)) if said],
        "cost_lines": lines(cost, champion),
        "intakes": [kept_contract(each) for each in evaluation.intakes],
    }
