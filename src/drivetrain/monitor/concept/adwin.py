"""ADWIN: a window that grows while its mean stays, and lets go of its older part when it does not."""

from __future__ import annotations

import math

from drivetrain.core.errors import UsageError

_BUCKETS = 5
"""Buckets of one size; of more, the oldest two become one of twice the size."""
_LEAST = 5
"""Values on either side of a cut, at least."""
_GRACE = 10


class Adwin:
    """Adaptive windowing over values between 0 and 1, such as errors.

    The window is kept as buckets whose sizes are powers of two, so that a million values take some hundred numbers. It
    is cut where the means of both parts differ by more than a bound that holds, at the rate stated, for every cut.

    Source: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing" (2007), ADWIN2.

    Args:
        delta: The confidence that the bound is given at: no more than this share of windows is cut for nothing.
        clock: Cuts are looked for after every so many values.

    Raises:
        UsageError: ``delta`` is no share.

    Example:
        >>> window = Adwin()
        >>> [at for at in range(1000) if window.update(float(at >= 500))]
        [511, 543, 607]
    """

    def __init__(self, delta: float = 0.002, clock: int = 32) -> None:
        if not 0 < delta < 1:
            raise UsageError("ADWIN's delta is a share", found=delta, expected="above 0, below 1")
        self.delta = delta
        self.clock = clock
        self.width = 0
        """Values in the window."""
        self._total = self._spread = 0.0
        self._seen = 0
        # By height, oldest bucket first: sum, and squared distances from the mean, of 2^height values.
        self._rows: list[list[tuple[float, float]]] = [[]]

    @property
    def mean(self) -> float:
        """Mean of the window; 0 of none."""
        return self._total / self.width if self.width else 0.0

    @property
    def recent(self) -> int:
        """Values after the last change, as far as the window tells: all that it holds."""
        return self.width

    def update(self, value: float) -> bool:
        """Takes the next value; whether the window was cut, so that its mean has changed."""
        self._add(value)
        self._seen += 1
        changed = False
        if self._seen % self.clock == 0 and self.width > _GRACE:
            while self._cut_somewhere():
                changed = True
                self._forget_oldest()
        return changed

    def _add(self, value: float) -> None:
        if self.width:
            self._spread += self.width / (self.width + 1) * (value - self.mean) ** 2
        self.width += 1
        self._total += value
        self._rows[0].append((value, 0.0))
        for height, row in enumerate(self._rows):
            if len(row) <= _BUCKETS:
                return
            if height + 1 == len(self._rows):
                self._rows.append([])
            (first, around), (second, about) = row.pop(0), row.pop(0)
            size = 1 << height
            apart = (first - second) / size
            self._rows[height + 1].append((first + second, around + about + size * apart**2 / 2))

    def _cut_somewhere(self) -> bool:
        before, total = 0, 0.0
        for height in range(len(self._rows) - 1, -1, -1):
            for bucket, _ in self._rows[height]:
                before += 1 << height
                total += bucket
                after = self.width - before
                if after < _LEAST:
                    return False
                if before >= _LEAST and self._differ(before, after, total):
                    return True
        return False

    def _differ(self, before: int, after: int, total: float) -> bool:
        apart = abs(total / before - (self._total - total) / after)
        certainty = math.log(2 * math.log(self.width) / self.delta)
        inverse = 1 / (before - _LEAST + 1) + 1 / (after - _LEAST + 1)
        variance = max(self._spread, 0.0) / self.width  # rounding may leave less than nothing
        return apart > math.sqrt(2 * inverse * variance * certainty) + 2 / 3 * inverse * certainty

    def _forget_oldest(self) -> None:
        height = len(self._rows) - 1
        total, around = self._rows[height].pop(0)
        size = 1 << height
        rest = self.width - size
        if rest:
            apart = total / size - (self._total - total) / rest
            self._spread -= around + size * rest * apart**2 / (size + rest)
        self.width = rest
        self._total -= total
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()
