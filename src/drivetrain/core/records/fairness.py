"""How a model's answers fall out for protected groups, on rows it had not seen."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.evaluation import Measure


class FairnessGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The test rows that share values of one protected attribute, or of several."""

    attributes: dict[str, str]
    """Protected attribute → value."""
    rows: int
    positives: int
    selected: int
    """Rows that were acted on: predicted at or above the threshold."""
    rates: dict[str, Measure] = {}
    """Name → figure; one that rests on too few rows is left out, and all of them where the group is too small."""

    @property
    def name(self) -> str:
        """The values, as a person would say them."""
        return ", ".join(self.attributes.values())


class Disparity(msgspec.Struct, frozen=True, kw_only=True):
    """How far the groups of one grouping lie apart in a figure: the two that lie farthest apart.

    The interval holds for the widest gap there is, whichever pair it lies between: it is put together from intervals of
    all pairs that hold together, so that whoever looks for the widest one is not fooled by having looked at many.
    """

    metric: str
    """``equalized_odds_difference`` and so on."""
    attributes: tuple[str, ...]
    rate: str
    """The rate that lies farthest apart: equalized odds look at two."""
    value: Measure
    low_group: str
    """The group whose rate is lowest."""
    high_group: str
    groups: int
    """How many were large enough to compare."""

    @property
    def column(self) -> str:
        """The attributes as a gate names them."""
        return " × ".join(self.attributes)


class FairnessReport(Record, frozen=True, kw_only=True):
    """Rates of every protected group at the model's threshold, and how far groups lie apart."""

    kind = "fairness"

    run_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    since: Micros
    until: Micros
    rows: int
    positives: int
    protected: tuple[str, ...]
    threshold: float
    """A prediction at or above it is acted on."""
    chosen: str
    """How the threshold came about, to follow "the threshold": ``is the model's own``."""
    block: str
    """What the intervals take to share its luck: ``day of prediction (UTC)``, and the entity where rows repeat it."""
    least: int
    """Rows below which a group is too small to say."""
    least_of: int
    """Rows below which a rate is not told: of positives for the true positive rate, and so on."""
    level: float
    groups: tuple[FairnessGroup, ...] = ()
    disparities: tuple[Disparity, ...] = ()

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
