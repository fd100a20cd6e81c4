"""How far a replay has come."""

from __future__ import annotations

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record


class Replay(Record, frozen=True, kw_only=True):
    """One replay of traffic; committed after each day, so that a killed one goes on where it was."""

    kind = "replay"

    endpoint: str
    since: Micros
    until: Micros
    done: Micros
    """Everything before this moment has been played."""
    requests: int = 0
    instances: int = 0
    labels: int = 0
    seconds: float = 0.0

    @property
    def key(self) -> str:
        """``endpoint@since``."""
        return f"{self.endpoint}@{self.since}"

    @property
    def subject(self) -> str:
        """The endpoint's name."""
        return self.endpoint
