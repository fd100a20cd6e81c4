"""A circuit breaker: a model that keeps failing is left alone for a while, then tried with one batch.

Source: M. Nygard, "Release It!" (2nd ed. 2018), chapter 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
"""Failures one after the other that open it."""
SECONDS = 10.0
"""How long it stays open."""


class Breaker:
    """The breaker of one model.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._tried = 0.0

    def lets_through(self) -> bool:
        """Whether the model may be asked; of those who come while it is open, one every :data:`SECONDS` may."""
        if self._failures < FAILURES:
            return True
        now = self._clock()
        if now - self._tried < SECONDS:
            return False
        self._tried = now
        return True

    def succeeded(self) -> None:
        """The model answered."""
        self._failures = 0

    def failed(self) -> None:
        """It did not."""
        self._failures += 1
        if self._failures == FAILURES:
            self._tried = self._clock()

    @property
    def is_open(self) -> bool:
        """Whether the model is left alone."""
        return self._failures >= FAILURES
