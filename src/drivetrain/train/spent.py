"""What a training spends: time by the clock and by the processor, and memory where that can be told."""

from __future__ import annotations

import sys
import time
from typing import TypedDict


class Figures(TypedDict):
    """As a run records them."""

    seconds: float
    cpu_seconds: float
    peak_memory: int | None


class Spent:
    """What is spent from now on, by the whole process.

    A process remembers only the most memory that it ever held. Where that has risen since, it was reached since; where
    it has not, nothing can be told but that it was less.
    """

    def __init__(self) -> None:
        self._clock, self._cpu, self._most = time.monotonic(), time.process_time(), _most_held()

    def figures(self) -> Figures:
        """What was spent so far."""
        most = _most_held()
        return Figures(
            seconds=time.monotonic() - self._clock,
            cpu_seconds=time.process_time() - self._cpu,
            peak_memory=most if most > self._most else None,
        )


def _most_held() -> int:
    """Bytes that the process ever held at most; 0 where the system does not say."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
