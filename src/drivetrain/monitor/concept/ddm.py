"""DDM: an error rate that is three deviations above the least it has been."""

from __future__ import annotations

import math

from drivetrain.core.errors import UsageError


class Ddm:
    """The drift detection method, for errors that are 0 or 1.

    After a change it begins anew. It holds a rate against the least of all rates before, so that in a long time without
    change it errs more often than three deviations suggest: in a third of streams of 10,000 errors at a rate of .2.
    Where false alarms are dear, :class:`~drivetrain.monitor.concept.adwin.Adwin` states their rate.

    Source: Gama, Medas, Castillo and Rodrigues, "Learning with drift detection" (2004).

    Args:
        warning: Deviations from which on :attr:`warned` is true.
        drift: Deviations that are a change.
        warm_up: Values before anything is said.

    Example:
        >>> rate = Ddm()
        >>> [at for at in range(1000) if rate.update(float(at >= 500 or at % 10 == 0))]
        [514]
    """

    def __init__(self, warning: float = 2.0, drift: float = 3.0, warm_up: int = 30) -> None:
        self.warning, self.drift, self.warm_up = warning, drift, warm_up
        self.warned = False
        """Whether the rate is so high that a change may be on its way."""
        self._count = 0
        self._rate = 0.0
        self._least = self._deviation = float("inf")
        self._since = 0
        self.recent = 0
        """Of the last change: errors since the rate was least."""

    def update(self, error: float) -> bool:
        """Takes the next error, 0 or 1; whether the rate has risen.

        Raises:
            UsageError: It is neither.
        """
        if error not in {0.0, 1.0}:
            raise UsageError("DDM takes errors that are 0 or 1", found=error, do="Use Adwin or PageHinkley for others")
        self._count += 1
        self._rate += (error - self._rate) / self._count
        deviation = math.sqrt(max(self._rate * (1 - self._rate), 0.0) / self._count)
        if self._count <= self.warm_up:
            return False
        self._since += 1
        if self._rate + deviation <= self._least + self._deviation:
            self._least, self._deviation = self._rate, deviation
            self._since = 0
        height = self._rate + deviation
        changed = height > self._least + self.drift * self._deviation
        self.warned = not changed and height > self._least + self.warning * self._deviation
        if changed:
            self.recent = self._since
            self._begin()
        return changed

    def _begin(self) -> None:
        self._count = self._since = 0
        self._rate = 0.0
        self._least = self._deviation = float("inf")
