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
        self.failures = 0
        """How often the model failed since it last answered."""
        self._tried = 0.0

    def lets_through(self) -> bool:
        """Whether the model may be asked; of those who come while it is open, one every :data:`SECONDS` may."""
        if self.failures < FAILURES:
            return True
        now = self._clock()
        if now - self._tried < SECONDS:
            return False
        self._tried = now
        return True

    def succeeded(self) -> None:
        """The model answered."""
        self.failures = 0

    def failed(self) -> None:
        """It did not."""
        self.failures += 1
        if self.failures == FAILURES:
            self._tried = self._clock()

    @property
    def is_open(self) -> bool:
        """Whether the model is left alone."""
        return self.failures >= FAILURES
