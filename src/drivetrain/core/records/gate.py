"""What a model version had to meet, and whether it did."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.notebook import shown


class GateOutcome(msgspec.Struct, frozen=True):
    """One gate's answer, in figures and in a sentence."""

    gate: str
    passed: bool
    found: float | None
    expected: float | None
    reason: str


class GateReport(msgspec.Struct, frozen=True):
    """Every gate's answer for one model version."""

    outcomes: tuple[GateOutcome, ...]
    at: Micros

    _repr_html_ = shown

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def refusals(self) -> tuple[str, ...]:
        """The reasons of the gates that did not pass."""
        return tuple(outcome.reason for outcome in self.outcomes if not outcome.passed)
