"""What a monitor saw."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record
from drivetrain.core.records.concept import Concept
from drivetrain.core.records.estimation import Estimation, Maturity, Why
from drivetrain.core.records.evaluation import Measure
from drivetrain.core.records.watched import AttributionSeen, ExperimentSeen, GroupsSeen, SegmentSeen, WorthSeen


class FeatureDrift(msgspec.Struct, frozen=True):
    """One column of one window against its reference.

    ``drifted`` is true where ``value`` exceeds ``threshold``: the larger of the effect size asked for and what blocks
    of the reference itself reach by chance and season.
    """

    feature: str
    statistic: str
    value: float
    threshold: float
    drifted: bool
    null_share: float
    reference_null_share: float
    count: int
    unseen_share: float = 0.0
    """Share of values whose category was never seen in training."""
    p_value: float | None = None
    words: str = ""
    """Of a text: which words rose and fell; empty where its class forbids to name them."""


class JointDrift(msgspec.Struct, frozen=True, kw_only=True):
    """All features of a window together against rows of before.

    Attributes:
        name: ``classifier``: trees that learned on other days tell the window's rows; ``reconstruction``: rows are
            rebuilt from principal components.
        value: Area under the ROC curve, .5 where nothing is told apart; or by which share rows are rebuilt worse.
        effect: The value from which on it is worth a word.
        p_value: Probability that days dealt by lot do as much.
        drifted: Whether it is worth a word and chance, at this method's part of the rate, does not explain it.
        importance: Feature → its share in it, greatest first.
        against: Which rows it is held against: those the version was evaluated on, or its own answers of before.
        rows: How many there are.
        count: Rows of the window that were looked at.
        null: What was dealt by lot.
    """

    name: Literal["classifier", "reconstruction"]
    value: float
    effect: float
    p_value: float
    drifted: bool
    importance: dict[str, float] = {}
    against: Literal["evaluation", "trailing", "season"] = "evaluation"
    rows: int = 0
    count: int = 0
    null: str = ""


class MonitorReport(Record, frozen=True, kw_only=True):
    """One endpoint and version over one window of prediction time."""

    kind = "monitor"

    endpoint: str
    model: str
    version: int
    since: Micros
    until: Micros
    predictions: int
    drift: tuple[FeatureDrift, ...] = ()
    output: FeatureDrift | None = None
    """Drift of the predictions themselves."""
    further: tuple[FeatureDrift, ...] = ()
    """What further statistics say of the same columns, the predictions included."""
    against: Literal["training", "trailing", "season"] = "training"
    """Which rows drift is held against."""
    against_note: str = ""
    """Why they are not those that were asked for, or which features are held against others."""
    joint: tuple[JointDrift, ...] = ()
    """All features together; nothing where it was not asked for."""
    joint_note: str = ""
    """Why they were not looked at together, or not against the rows that were asked for."""
    labelled: int = 0
    label_share: float = 0.0
    """Share of the window's predictions whose label has arrived."""
    performance: dict[str, Measure] = {}
    reference: dict[str, Measure] = {}
    """The same metrics when the version was evaluated."""
    shadow: dict[str, dict[str, Measure]] = {}
    """Role and version (``shadow v3``) → metrics over the same window."""
    latency_p50_us: float = 0.0
    latency_p99_us: float = 0.0
    median_ages: dict[str, float] = {}
    """View → median age of its values in seconds."""
    estimated: dict[str, Measure] = {}
    """Metric → its value as estimated without the window's labels; the interval is where the real one should fall."""
    estimation: Estimation | None = None
    """How it was estimated; none in reports older than estimates, and where none was asked for."""
    maturity: Maturity | None = None
    """How complete the labels are."""
    why: Why | None = None
    """Where a fall comes from; none where nothing fell."""
    concept: Concept | None = None
    """How the version's errors stood when its labels were last followed; none where that was not asked for."""
    failed_share: float = 0.0
    """Share of requests that the version should have answered and something else stood in for."""
    cost_per_1000: float | None = None
    """What the time under way of a thousand predictions costs, where the monitor says what a core costs."""
    groups: GroupsSeen | None = None
    """How answers fell out for protected groups; none where the model protects none."""
    segments: tuple[SegmentSeen, ...] = ()
    """The metric by the model's slices."""
    worth: WorthSeen | None = None
    """What answers were worth; none where the monitor has no business metric."""
    attribution: AttributionSeen | None = None
    """What moved the answers; none where the monitor does not ask."""
    experiments: tuple[ExperimentSeen, ...] = ()
    """Canaries, splits and bandits under way."""

    @property
    def key(self) -> str:
        """``endpoint@since-until``."""
        return f"{self.endpoint}@{self.since}-{self.until}"

    @property
    def subject(self) -> str:
        """The endpoint's name."""
        return self.endpoint
