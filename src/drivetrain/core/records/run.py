"""One training run."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record
from drivetrain.core.records.deciding import Decided
from drivetrain.core.records.evaluation import Measure
from drivetrain.core.records.making import Making
from drivetrain.core.records.schema import InputSchema
from drivetrain.core.records.selection import Selection
from drivetrain.core.records.task import Task
from drivetrain.core.records.tracking import Tracked
from drivetrain.core.records.version import Artifact, Packaging

Scalar = str | int | float | bool | None


class Trial(msgspec.Struct, frozen=True):
    """One set of parameters that tuning tried."""

    number: int
    parameters: dict[str, Scalar]
    value: float | None
    """The tuned metric on the validation rows; none where the trial was pruned or failed."""
    state: Literal["complete", "pruned", "failed"]
    seconds: float
    values: dict[str, float] = {}
    """Objective → what it came to, where there are several; ``latency`` in microseconds a row, ``size`` in bytes."""
    reason: str = ""
    """Why it failed."""
    enqueued: bool = False
    """Whether its parameters were given before the search began."""


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the trials was chosen, and what the search began with."""

    metric: str
    objectives: tuple[str, ...] = ()
    """What trials were compared by, the metric first, where there are several."""
    chosen: int
    """Number of the trial whose parameters were taken."""
    because: str
    """Why: a sentence."""
    front: tuple[int, ...] = ()
    """Numbers of the trials that no other surpasses in one objective without falling behind in another."""
    enqueued: tuple[dict[str, Scalar], ...] = ()
    """Parameters that were tried first."""
    enqueued_from: str = ""
    """Ref of the run that they came from; empty where the project names them."""


class Imputation(msgspec.Struct, frozen=True, kw_only=True):
    """How a feature's missing values are filled, as learned from the rows that the model was fitted on."""

    feature: str
    by: str
    """``median``, ``mean``, ``most_frequent`` or ``constant``."""
    value: str | float
    """What is filled in; a category by its name."""
    share: float
    """Of those rows, how many were filled."""
    indicator: bool = False
    """Whether the model also reads if the value was missing."""


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """A category read as the mean label of the rows that share it; the means are in the schema."""

    feature: str
    by: Literal["time", "folds"]
    """How rows that taught were kept from their own label."""
    smoothing: float
    """Rows of the prior that each category was given."""
    prior: float
    """Mean label of all rows; what a category never seen reads."""
    categories: int
    low: float
    high: float
    """The least and the greatest of the means."""
    rows: int


class WeighedCell(msgspec.Struct, frozen=True):
    """The rows of a group that have one label, and the weight that each of them has."""

    group: tuple[str, ...]
    label: float
    rows: int
    weight: float


class Weighing(msgspec.Struct, frozen=True, kw_only=True):
    """Weights that make label and group independent among the rows that the model was fitted on; or those by label."""

    by: tuple[str, ...]
    """The columns whose values make the groups; none where rows are weighed by their label alone."""
    cells: tuple[WeighedCell, ...]
    rows: int
    effective: float
    """How many rows of equal weight would tell as much (Kish, 1965)."""
    lacking: tuple[tuple[str, ...], ...] = ()
    """Groups that have no row of some label: no weight makes up for that."""


Severity = Literal["refused", "warned", "allowed"]


class LeakageFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Something among the rows or features that may give the label away, found before anything was fitted."""

    check: str
    """Which check found it: ``target``, ``too good alone``, ``known with the label``, …"""
    feature: str = ""
    """Full name, or the view it is about; empty where it is about rows."""
    severity: Severity
    evidence: str
    """A sentence with the figures it rests on."""
    figure: Measure | None = None
    """What was held against a bound, with its interval."""


class Run(Record, frozen=True, kw_only=True):
    """Everything needed to know how a model was made, and to make it again."""

    kind = "run"

    run_id: str
    model: str
    """What it trains; of a run that was logged from elsewhere, its experiment's name when it began."""
    trainer: str
    status: Literal["scheduled", "running", "done", "failed", "killed"] = "running"
    parameters: dict[str, Scalar] = {}
    metrics: dict[str, float] = {}
    code: Digest
    environment: Digest
    packages: dict[str, str] = {}
    """Package → version, of what the fit could depend on."""
    inputs: dict[str, str] = {}
    """Name → ref of what was read, for example ``training_set`` → ``table:training/late@3``."""
    seed: int = 0
    making: Making | None = None
    """What it was made with; none of runs older than the note."""
    input_schema: InputSchema | None = None
    task: Task = Task()
    """What it tells, and the classes that its answers stand for, as learned from the rows that taught."""
    artifacts: tuple[Artifact, ...] = ()
    """What can serve the model, the one that is served first."""
    packaging: Packaging | None = None
    """How the first of them was chosen."""
    baselines: dict[str, tuple[Artifact, ...]] = {}
    selection: Selection | None = None
    """Which of the declared features it reads, and why; none where all are read."""
    baseline_schema: InputSchema | None = None
    """What the baselines read, where features were chosen; none where that is what the model reads."""
    imputations: tuple[Imputation, ...] = ()
    encodings: tuple[Encoding, ...] = ()
    weighing: Weighing | None = None
    """None where every row counts alike."""
    decided: Decided | None = None
    """How its answers came to be read as they are; none where nothing of it is declared."""
    leakage: tuple[LeakageFinding, ...] | None = None
    """What was found by those who looked for leaks; none of a run from before anybody did."""
    trials: tuple[Trial, ...] = ()
    tuning: Tuning | None = None
    """How one of the trials was chosen; none where nothing was tuned."""
    train_rows: int = 0
    train_since: Micros = 0
    train_until: Micros = 0
    seconds: float = 0.0
    cpu_seconds: float | None = None
    """Of all threads of the process, while it trained; none of runs from before it was counted."""
    peak_memory: int | None = None
    """Bytes that the process held at most, where the training was when it held most; else none."""
    error: str = ""
    tracked: Tracked | None = None
    """What a run has that was logged by an MLflow client; none of our own."""

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name; of a run that was logged from elsewhere, ``experiment:`` and the id of its experiment."""
        return self.model if self.tracked is None else f"experiment:{self.tracked.experiment}"
