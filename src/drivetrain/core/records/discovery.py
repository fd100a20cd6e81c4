"""Groups of rows that nobody named, in which a model is worse than it says."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.evaluation import Measure


class Condition(msgspec.Struct, frozen=True):
    """What rows of a slice have in common."""

    column: str
    value: str
    """A value, or ``over 107 to 131`` for a number."""

    @property
    def words(self) -> str:
        """As a person would say it.

        Example:
            >>> Condition("carrier", "EV").words, Condition("seats", "over 107 to 131").words
            ('carrier is EV', 'seats is over 107 to 131')
        """
        return f"{self.column} is {self.value}"


class FoundSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that share one condition or two; every figure is of the half that it was not searched on."""

    conditions: tuple[Condition, ...]
    what: Literal["too low", "too high", "too sure"]
    """How it errs there: predictions below what came, above it, or farther from the middle than they may be."""
    rows: int
    """Of the half that judged it."""
    share: float
    """Of that half's rows."""
    predicted: float
    """Mean prediction."""
    observed: Measure
    """Share that came true."""
    error: float
    """Mean squared error of its predictions."""
    promised: float
    """What that error would be if its own probabilities were right."""
    worse: Measure
    """How much worse than in the other rows: of "too low" and "too high" the distance of predictions from what came, of
    "too sure" the error beyond the one promised. The intervals of all that were judged hold together."""
    p: float
    """Chance of that much or more by luck, corrected for all that were judged (Holm, 1979)."""

    @property
    def name(self) -> str:
        """Its conditions."""
        return " and ".join(each.words for each in self.conditions)


class Discovery(Record, frozen=True, kw_only=True):
    """A search for slices on one half of the test days, and what the other half says of those that were kept."""

    kind = "discovery"

    run_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    since: Micros
    until: Micros
    rows: int
    columns: tuple[str, ...]
    """What was searched."""
    left_out: tuple[str, ...] = ()
    """Columns that were not, because their values are personal."""
    looked_at: int = 0
    """Slices that were large enough to look at, on the half searched."""
    judged: int = 0
    """Those kept for the other half to judge."""
    level: float = 0.95
    """Chance that nothing is claimed where there is nothing."""
    found: tuple[FoundSlice, ...] = ()
    """Those that luck does not explain, the most harmful first."""
    unable: str = ""
    """Why nothing could be searched, if it could not."""

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
