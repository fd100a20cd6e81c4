"""What the loop or a person decided, and on what evidence."""

from __future__ import annotations

from typing import Literal

from drivetrain.core.records.base import Record


class Decision(Record, frozen=True, kw_only=True):
    """One line of the timeline."""

    kind = "decision"

    id: str
    about: str
    """The endpoint, model or source."""
    what: Literal[
        "ingest",
        "train",
        "register",
        "shadow",
        "promote",
        "refuse",
        "retrain",
        "rollback",
        "alert",
        "replay",
        "route",
        "sign",
        "readmit",
        "drop",
        "import",
        "wait",
        "approve",
        "clean",
        "silence",
        "resolve",
    ]
    because: str
    """One sentence with the figures it rests on."""
    actor: str = "loop"
    version: int | None = None
    evidence: str = "{}"
    """JSON text: the record, or the figures, that a person can check."""

    @property
    def key(self) -> str:
        """The decision's id; text order is time order."""
        return self.id

    @property
    def subject(self) -> str:
        """The endpoint, model or source."""
        return self.about
