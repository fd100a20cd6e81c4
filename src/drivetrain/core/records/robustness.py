"""How much a model's figure falls when its inputs are worse than they were."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.evaluation import Measure

StrainKind = Literal["shuffled", "missing", "view missing", "stale", "noise", "shift"]


class Strain(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which inputs get worse, and what it costs."""

    what: StrainKind
    of: str
    """The feature or view; of noise and shift, in words."""
    figure: float
    """The metric under it."""
    fall: Measure
    """How much worse that is; intervals of one kind of strain hold all together."""
    changed: float = 1.0
    """Share of rows that it changes; of a shift, the share of rows that the weighted ones are worth."""


class RobustnessReport(Record, frozen=True, kw_only=True):
    """Figures on test rows as they are, and under each strain."""

    kind = "robustness"

    run_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    since: Micros
    until: Micros
    rows: int
    """Rows that were tried, drawn from all test rows."""
    of: int
    """Test rows there are."""
    metric: str
    whole: Measure
    """On the rows as they are."""
    strains: tuple[Strain, ...] = ()
    untried: tuple[str, ...] = ()
    """What could not be tried, and why, a sentence each."""

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
