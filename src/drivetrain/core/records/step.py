"""A step that ran, or is running."""

from __future__ import annotations

from typing import Literal

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record


class Step(Record, frozen=True, kw_only=True):
    """One execution of a step; its key is what it was made of, so an equal step is never run again.

    ``outputs`` maps an output's name to the ref of the record that holds it.
    """

    kind = "step"

    digest: Digest
    """Of code, parameters, inputs and environment together."""
    name: str
    """For example ``ingest:flights`` or ``train:late``."""
    code: Digest
    parameters: Digest
    environment: Digest
    inputs: dict[str, str]
    """Input name → digest of what came in."""
    status: Literal["running", "done", "failed"] = "running"
    outputs: dict[str, str] = {}
    seconds: float = 0.0
    error: str = ""
    finished: Micros | None = None

    @property
    def key(self) -> str:
        """The step's digest."""
        return self.digest

    @property
    def subject(self) -> str:
        """The step's name."""
        return self.name
