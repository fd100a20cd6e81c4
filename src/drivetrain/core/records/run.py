"""One training run."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record
from drivetrain.core.records.schema import InputSchema
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


class Run(Record, frozen=True, kw_only=True):
    """Everything needed to know how a model was made, and to make it again."""

    kind = "run"

    run_id: str
    model: str
    trainer: str
    status: Literal["running", "done", "failed"] = "running"
    parameters: dict[str, Scalar] = {}
    metrics: dict[str, float] = {}
    code: Digest
    environment: Digest
    packages: dict[str, str] = {}
    """Package → version, of what the fit could depend on."""
    inputs: dict[str, str] = {}
    """Name → ref of what was read, for example ``training_set`` → ``table:training/late@3``."""
    seed: int = 0
    input_schema: InputSchema | None = None
    artifacts: tuple[Artifact, ...] = ()
    """What can serve the model, the one that is served first."""
    packaging: Packaging | None = None
    """How the first of them was chosen."""
    baselines: dict[str, tuple[Artifact, ...]] = {}
    trials: tuple[Trial, ...] = ()
    train_rows: int = 0
    train_since: Micros = 0
    train_until: Micros = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
