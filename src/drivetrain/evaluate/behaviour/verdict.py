"""The gate on behaviours: each must hold."""

from __future__ import annotations

from drivetrain.core.records import BehaviourReport, GateOutcome


def behaviour_outcomes(report: BehaviourReport | None) -> list[GateOutcome]:
    """Every behaviour's answer as a gate's."""
    if report is None or not report.outcomes:
        reason = "No: no behaviour was tried: the model declares none, or is no yes-or-no model."
        return [GateOutcome("behaviours", False, None, None, reason)]  # noqa: FBT003
    return [
        GateOutcome(
            f"behaviour: {each.name}",
            each.passed,
            each.figure.value if each.figure is not None else 1.0 - each.broken / each.rows if each.rows else None,
            each.expected,
            each.reason,
        )
        for each in report.outcomes
    ]
