"""A model version: what may be served."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record
from drivetrain.core.records.gate import GateReport
from drivetrain.core.records.schema import InputSchema
from drivetrain.core.records.signature import Signature
from drivetrain.core.records.task import Task


class Artifact(msgspec.Struct, frozen=True):
    """A file of a model, kept as a blob under its digest."""

    name: str
    """File name, for example ``model.txt``."""
    format: str
    """``lightgbm``, ``xgboost``, ``torch``, ``onnx``, ``skops``, ``json`` (our own baselines), ``reference``,
    ``background`` (training rows that a model which can't explain itself is explained against), or ``decide`` (how its
    answers are read: calibration, threshold, intervals and sets)."""
    digest: Digest
    size: int


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A form in which a fitted model could be served, as it was found when it was opened and tried."""

    engine: str
    """Adapter that opens it."""
    name: str
    """File name."""
    size: int
    """Bytes."""
    agrees: bool
    """Whether it answers as the library that fitted the model does."""
    difference: float | None = None
    """Largest absolute difference of a prediction from the library's own; none if it gave none to compare."""
    rows: int = 0
    """Real rows that were compared."""
    row_us: float | None = None
    """Microseconds for one row, one thread; none if it was not timed."""
    batch_us: float | None = None
    """Microseconds for a batch of :attr:`Packaging.batch` rows, one thread."""
    chosen: bool = False
    reason: str = ""
    """Why it was chosen, or why not: a sentence."""


class Packaging(msgspec.Struct, frozen=True, kw_only=True):
    """How the form to serve was chosen among those there are."""

    candidates: tuple[Candidate, ...] = ()
    """In the trainer's order: the first is served unless another is enough faster."""
    tolerance: float
    """Largest difference at which a candidate agrees."""
    batch: int
    """Rows of the batch that was timed."""

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that is served."""
        return next((candidate for candidate in self.candidates if candidate.chosen), None)


class ModelVersion(Record, frozen=True, kw_only=True):
    """A trained model with its report: numbered from 1 within its model, never changed but by signing it."""

    kind = "version"

    model: str
    version: int
    run_id: str
    artifacts: tuple[Artifact, ...]
    engine: str
    """Adapter that serves it, for example ``lightgbm`` or ``onnx``."""
    input_schema: InputSchema
    task: Task = Task()
    """What it tells, and what the numbers of an answer stand for."""
    features: dict[str, Digest]
    """View or request-feature name → digest of its definition, which the server must hold to serve this version."""
    training_set: str
    """Ref of the table version it was trained on."""
    gates: GateReport
    card: Digest | None = None
    """Blob of the model card, as HTML."""
    reference: Digest | None = None
    """Blob of the reference profile that monitoring compares with."""
    packaging: Packaging | None = None
    """How the engine was chosen; none of versions older than the choice."""
    judged: Digest = ""
    """Of the rules that its run was judged by; empty in versions older than the note."""
    signatures: tuple[Signature, ...] = ()
    """Who vouches for it, one for each key."""
    removed: Micros | None = None
    """When its artifacts were removed; none where they are there."""

    @property
    def key(self) -> str:
        """``model@version``."""
        return f"{self.model}@{self.version}"

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model

    def artifact(self, format: str) -> Artifact | None:
        """The artifact in a format, if there is one."""
        return next((artifact for artifact in self.artifacts if artifact.format == format), None)
