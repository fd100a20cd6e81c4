"""What else was looked at on the rows that an evaluation judges."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import Discovery, FairnessReport, Record


class Probes(msgspec.Struct, frozen=True, kw_only=True):
    """Reports beside the evaluation; each is none where it was not asked for, or can't be made.

    Attributes:
        fairness: How answers fall out for protected groups.
        discovery: Slices that nobody named in which the model is worse than it says.
    """

    fairness: FairnessReport | None = None
    discovery: Discovery | None = None

    @property
    def reports(self) -> tuple[Record, ...]:
        """Those that there are, as the catalog keeps them."""
        return tuple(report for report in (self.fairness, self.discovery) if report is not None)
