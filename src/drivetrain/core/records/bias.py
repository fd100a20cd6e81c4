"""What a training set says of the groups in it, before anything is learned from it."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.evaluation import Measure


class MissingGap(msgspec.Struct, frozen=True):
    """How often a feature is null in a group, and how much oftener than in everybody else."""

    feature: str
    share: Measure
    gap: Measure


class BiasGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that share values of one protected attribute, or of several.

    A figure is none where the group, or everybody else, has too few rows to say.
    """

    attributes: dict[str, str]
    """Protected attribute → value."""
    rows: int
    share: Measure
    """Of all rows."""
    expected: float | None = None
    """The share it would have in the population, as declared."""
    beyond: Measure | None = None
    """Its share less the one expected."""
    positives: int | None = None
    rate: Measure | None = None
    """Share of its labels that are 1."""
    gap: Measure | None = None
    """Its label rate less that of everybody else."""
    missing: tuple[MissingGap, ...] = ()
    """Features that are surely null oftener or less often than in everybody else, the widest gap first."""

    @property
    def alone(self) -> bool:
        """Whether it goes by a single attribute."""
        return len(self.attributes) == 1

    @property
    def name(self) -> str:
        """The values, as a person would say them."""
        return ", ".join(self.attributes.values())


class BiasReport(Record, frozen=True, kw_only=True):
    """Representation, label rate and missingness of every group in the rows that a model would learn from.

    Shares carry an interval each. Differences (``gap``, ``beyond``) carry intervals that hold all together with
    probability ``level``, within each kind: whoever looks for the widest one is not fooled by having looked at many.
    """

    kind = "bias"

    report_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    since: Micros
    until: Micros
    """The rows' moments of prediction lie before this."""
    rows: int
    """Rows with a label, which the model would learn from."""
    unlabelled: int
    """Rows of the same time without one."""
    positives: int | None
    """None where labels are not 0 or 1."""
    protected: tuple[str, ...]
    block: str
    """What is taken to share its luck: ``day``, or ``row`` where there are too few days to tell."""
    least: int
    """Rows below which a group is too small to say."""
    level: float
    compared: dict[str, int]
    """Kind (``label rate``, ``missingness``, ``representation``) → how many differences of it hold together."""
    missing: dict[str, Measure] = {}
    """Feature → share of null, of those that are oftenest; ``_label`` is the label itself."""
    groups: tuple[BiasGroup, ...] = ()

    @property
    def key(self) -> str:
        """The report's id: the same rows and the same question give the same one."""
        return self.report_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model


def sure(difference: Measure | None) -> bool:
    """Whether a difference's interval leaves out zero.

    Example:
        >>> sure(Measure(0.1, 0.02, 0.18)), sure(Measure(0.1, -0.02, 0.22)), sure(None)
        (True, False, False)
    """
    if difference is None or difference.low is None or difference.high is None:
        return False
    return difference.low > 0 or difference.high < 0
