"""A model version: what may be served."""

from __future__ import annotations

import msgspec

from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record
from drivetrain.core.records.gate import GateReport
from drivetrain.core.records.schema import InputSchema


class Artifact(msgspec.Struct, frozen=True):
    """A file of a model, kept as a blob under its digest."""

    name: str
    """File name, for example ``model.txt``."""
    format: str
    """``lightgbm``, ``onnx``, ``skops``, ``json`` (our own baselines) or ``reference`` (a monitoring profile)."""
    digest: Digest
    size: int


class ModelVersion(Record, frozen=True, kw_only=True):
    """A trained model with its report: numbered from 1 within its model, never changed."""

    kind = "version"

    model: str
    version: int
    run_id: str
    artifacts: tuple[Artifact, ...]
    engine: str
    """Adapter that serves it: ``lightgbm`` or ``onnx``."""
    input_schema: InputSchema
    features: dict[str, Digest]
    """View or request-feature name → digest of its definition, which the server must hold to serve this version."""
    training_set: str
    """Ref of the table version it was trained on."""
    gates: GateReport
    card: Digest | None = None
    """Blob of the model card, as HTML."""
    reference: Digest | None = None
    """Blob of the reference profile that monitoring compares with."""

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
