"""What a model costs: to train, to keep, and to ask."""

from __future__ import annotations

import msgspec


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Of one model; what was not measured is none.

    Times of answers are of one thread on the machine that judged it, with nothing in between: no network, no features
    to be read, no log. Those of a model and its champion are taken in turns, so that whatever else the machine is
    doing strikes both alike.
    """

    of: str = ""
    """Whose it is, where it stands beside another: ``champion v3``."""
    train_seconds: float | None = None
    """By the clock: leaks, tuning, the fit itself, baselines, and the choice of what serves it."""
    train_cpu_seconds: float | None = None
    """The same by the processor, of all threads of the process that trained it."""
    peak_memory: int | None = None
    """Bytes that this process held at most, where it held most while it trained."""
    trials: int = 0
    """Settings that were tried."""
    engine: str = ""
    """Adapter that answers."""
    size: int
    """Bytes of the artifact that is served."""
    kept: int
    """Bytes of all its artifacts."""
    row_p50_us: float | None = None
    """Microseconds that half of the single rows were answered within."""
    row_p99_us: float | None = None
    """Microseconds that 99 of 100 were answered within."""
    rows_timed: int = 0
    """Single rows that were timed."""
    batch: int = 0
    """Rows of the batch that was timed."""
    rows_per_second: float | None = None
    """Rows of a batch answered in a second, by the fastest of several."""


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of a table behind a training set kept its contract."""

    table: str
    rows: int
    """Rows in the table, and set aside."""
    broke: int
    """Of these, rows that broke the contract; where it only warns, as many as broke the rule that most rows did."""
    breaches: dict[str, int] = {}
    """Rule → rows that broke it, the worst first."""
    checked: bool = True
    """Whether the table has a contract that asks for anything."""
    warns: bool = False
    """Whether the contract only warns, so that what broke it is among the rows that teach."""

    @property
    def share(self) -> float:
        """Of its rows, how many broke the contract."""
        return self.broke / self.rows if self.rows else 0.0
