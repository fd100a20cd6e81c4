"""How good a model is: figures that carry their uncertainty and their count."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.cost import Cost, Intake
from drivetrain.core.records.deciding import Acting, Covering
from drivetrain.core.records.measure import Measure
from drivetrain.core.records.task import Task

__all__ = ["CalibrationBin", "ClassMeasure", "Comparison", "Evaluation", "Measure", "SliceMeasure"]


class Comparison(msgspec.Struct, frozen=True):
    """Two models on the same rows: the difference of one metric, paired, so that shared luck cancels.

    ``difference`` is oriented so that positive is better for the model in question, whatever the metric.
    """

    metric: str
    against: str
    """What it was compared with: ``champion v3``, ``baseline rate by carrier and hour``."""
    ours: float
    theirs: float
    difference: Measure


class SliceMeasure(msgspec.Struct, frozen=True):
    """The metrics among the rows where ``column`` equals ``value``."""

    column: str
    value: str
    count: int
    positives: int | None
    """None where labels are no yes or no."""
    metrics: dict[str, Measure]


class ClassMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """How well one class, or one of several labels, is told from the rest."""

    name: str
    count: int
    """Rows of which it came true."""
    named: int
    """Rows of which the model said so: its likeliest class, or a label from one half on."""
    precision: Measure | None = None
    """Share of the rows named so that came true; none where none was named."""
    recall: Measure | None = None
    """Share of those that came true that were named so; none where none came true."""
    roc_auc: Measure | None = None
    """Against the rest; of classes only."""


class CalibrationBin(msgspec.Struct, frozen=True):
    """Rows whose predictions fall together: what was said, and what came.

    Of classes it is how sure the model was of the likeliest, and how often that came; of numbers, the mean of both; of
    quantiles, a level and the share of labels below its quantile.
    """

    low: float
    high: float
    count: int
    predicted: float
    observed: Measure


class Evaluation(Record, frozen=True, kw_only=True):
    """The report on one trained model over one window of labelled rows."""

    kind = "evaluation"

    run_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    since: Micros
    until: Micros
    rows: int
    positives: int | None
    """None where labels are no yes or no."""
    task: Task = Task()
    metric: str = "average_precision"
    """The metric that stands for the objective."""
    groups: int | None = None
    """Of a ranking: the groups with a relevant row, over which figures are averaged."""
    unseen: dict[str, int] = {}
    """Class → how many rows of the window had it although no row that taught did; they are in no figure."""
    block: str
    """What the bootstrap draws whole, for example ``day of prediction``; rows inside share their luck."""
    replicates: int
    metrics: dict[str, Measure]
    baselines: dict[str, dict[str, Measure]] = {}
    comparisons: tuple[Comparison, ...] = ()
    slices: tuple[SliceMeasure, ...] = ()
    calibration: tuple[CalibrationBin, ...] = ()
    classes: tuple[ClassMeasure, ...] = ()
    """Of classes and of several labels, in the order of the task."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Of classes: how many rows of each (first index) were taken for each (second)."""
    importance: dict[str, float] = {}
    """Feature → share of the whole, adding to one."""
    uncalibrated: tuple[Comparison, ...] = ()
    """Where its probabilities are calibrated: against those that the model itself says."""
    acting: Acting | None = None
    """Where a threshold was chosen by cost."""
    covering: Covering | None = None
    """Where answers come with an interval or a set."""
    cost: Cost | None = None
    """What it costs to train, keep and ask; none of evaluations from before it was measured."""
    champion_cost: Cost | None = None
    """The champion's, timed in turns with it; none where it could not be asked the same rows."""
    intakes: tuple[Intake, ...] = ()
    """How the rows of the tables behind the training set kept their contracts."""

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
