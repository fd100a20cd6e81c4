"""What else was looked at on the rows that an evaluation judges."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import (
    BehaviourReport,
    DependenceReport,
    Discovery,
    FairnessReport,
    Record,
    RobustnessReport,
)


class Probes(msgspec.Struct, frozen=True, kw_only=True):
    """Reports beside the evaluation; each is none where it was not asked for, or can't be made.

    Attributes:
        fairness: How answers fall out for protected groups.
        discovery: Slices that nobody named in which the model is worse than it says.
        behaviours: What the model was declared to do.
        robustness: What inputs that are worse would cost.
        dependence: How the answer goes with the features that the model leans on most.
    """

    fairness: FairnessReport | None = None
    discovery: Discovery | None = None
    behaviours: BehaviourReport | None = None
    robustness: RobustnessReport | None = None
    dependence: DependenceReport | None = None

    @property
    def reports(self) -> tuple[Record, ...]:
        """Those that there are, as the catalog keeps them."""
        every = (self.fairness, self.discovery, self.behaviours, self.robustness, self.dependence)
        return tuple(report for report in every if report is not None)
