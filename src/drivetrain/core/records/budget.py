"""What a table has told about its subjects, and how much more it may."""

from __future__ import annotations

from drivetrain.core.records.base import Record


class PrivacyBudget(Record, frozen=True, kw_only=True):
    """What was spent of a table's privacy by figures that were given out of it.

    Attributes:
        table: The table.
        epsilon: The sum over all figures: what they may tell of a subject, together.
        delta: The same of the probability that they tell more.
        figures: How many were given out.
    """

    kind = "budget"

    table: str
    epsilon: float = 0.0
    delta: float = 0.0
    figures: int = 0

    @property
    def key(self) -> str:
        """The table."""
        return self.table

    @property
    def subject(self) -> str:
        """The table."""
        return self.table
