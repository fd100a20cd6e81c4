"""What a model was declared to do, and whether it does."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.records.base import Record
from drivetrain.core.records.evaluation import Measure


class Example(msgspec.Struct, frozen=True):
    """The row that goes farthest against a behaviour; values of personal columns are not told."""

    before: float
    """Prediction for the row as it is."""
    after: float
    """Prediction once the column is changed."""
    was: str
    """The column's value."""
    became: str


class BehaviourOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One behaviour, in figures and in a sentence."""

    name: str
    """``carrier changes nothing``, ``dep_delay up, prediction up``."""
    check: Literal["invariance", "direction", "minimum"]
    passed: bool
    rows: int
    """How many were tried."""
    broken: int = 0
    """How many of them go against it."""
    figure: Measure | None = None
    """Of a minimum: the figure."""
    expected: float
    """Share of rows that must behave, or the least figure."""
    reason: str
    example: Example | None = None


class BehaviourReport(Record, frozen=True, kw_only=True):
    """Every declared behaviour, tried on test rows."""

    kind = "behaviour"

    run_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    rows: int
    """Test rows there are."""
    outcomes: tuple[BehaviourOutcome, ...] = ()

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
