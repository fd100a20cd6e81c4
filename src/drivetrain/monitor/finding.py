"""A rule that is broken in one window."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import Severity

__all__ = ["Finding", "Severity"]


class Finding(msgspec.Struct, frozen=True):
    """What a rule found.

    Attributes:
        rule: The rule's name: its family, then what it is about (``performance.average_precision``).
        severity: ``info`` is for the record, ``warning`` for working hours, ``critical`` for now.
        message: One sentence or two that a person on call understands.
        evidence: Figures that a person, or a program, can check.
    """

    rule: str
    severity: Severity
    message: str
    evidence: dict[str, object]

    @property
    def family(self) -> str:
        """The first part of the rule: ``performance``, ``calibration``, ``drift``, ``latency``, ``traffic``."""
        return self.rule.partition(".")[0]
