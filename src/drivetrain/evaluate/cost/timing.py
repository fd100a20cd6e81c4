"""How fast engines answer, taken in turns: whatever else the machine is doing strikes all alike."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drivetrain.core.protocols import Engine
from drivetrain.features.texts import singled, taken

BATCH = 1_024
"""Rows of the batch that is timed, where there are so many."""

_ALONE = 256
_TURN = 8
_LEAST, _MOST = 40, 2_000
_SECONDS = 0.25
_BATCHES = 5


@dataclass(frozen=True)
class Timing:
    """How fast one engine answers, on one thread."""

    p50_us: float
    """Microseconds that half of the single rows were answered within."""
    p99_us: float
    rows: int
    """Single rows that were timed."""
    batch: int
    """Rows of the batch."""
    rows_per_second: float
    """By the fastest batch of several."""


def time_answers(asked: Sequence[tuple[Engine, npt.NDArray[np.float64]]]) -> list[Timing | None]:
    """Times each engine on rows of its own, 40 to 2,000 single ones and five batches; a quarter of a second each.

    Args:
        asked: Engines, and for each the rows it is asked, shape (n, fields).

    Returns:
        One of each, none where there are no rows.
    """
    turns = [_Turns(engine, rows) if len(rows) else None for engine, rows in asked]
    known = [each for each in turns if each is not None]
    while sum(each.turn() for each in known):  # a sum: every one has its turn
        pass
    for _ in range(_BATCHES):
        for each in known:
            each.whole()
    return [None if each is None else each.timing for each in turns]


@dataclass
class _Turns:
    """One engine's share of the clock."""

    engine: Engine
    rows: npt.NDArray[np.float64]
    took: list[int] = field(default_factory=list)
    spent: float = 0.0
    fastest: float = math.inf

    def __post_init__(self) -> None:
        places = np.linspace(0, len(self.rows) - 1, min(_ALONE, len(self.rows))).astype(int).tolist()
        self._single = singled(self.rows, places)
        self._batch = taken(self.rows, np.arange(len(self.rows)) < BATCH)
        self.engine.predict_row(self._single[0])  # the first warms up
        self.engine.predict(self._batch)

    def turn(self) -> bool:
        """Some single rows; whether there are more to come."""
        if len(self.took) >= _LEAST and (len(self.took) >= _MOST or self.spent >= _SECONDS):
            return False
        for _ in range(_TURN):
            row = self._single[len(self.took) % len(self._single)]
            began = time.perf_counter_ns()
            self.engine.predict_row(row)
            self.took.append(time.perf_counter_ns() - began)
            self.spent += self.took[-1] / 1e9
        return True

    def whole(self) -> None:
        """One batch, unless those before took long enough to know."""
        if self.spent > 4 * _SECONDS and self.fastest < math.inf:
            return
        began = time.perf_counter()
        self.engine.predict(self._batch)
        took = time.perf_counter() - began
        self.spent += took
        self.fastest = min(self.fastest, took)

    @property
    def timing(self) -> Timing:
        """What came of it."""
        p50, p99 = np.quantile(self.took, [0.5, 0.99]) / 1e3
        batch = len(self._batch)
        return Timing(float(p50), float(p99), len(self.took), batch, batch / max(self.fastest, 1e-9))
