"""Token buckets: a steady rate, with room for a burst of one second's worth.

Source: J. Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986 (the leaky bucket as a
meter).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivetrain.core.errors import UsageError

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Counts(NamedTuple):
    """What the workers that share a bucket have counted; each writes in its own place.

    Attributes:
        places: One number: how many places are taken.
        passed: Place → requests let through.
        lost: Place → requests' worth seen to run over while the bucket was full.
        own: This worker's place.
    """

    places: memoryview[int] | list[int]
    passed: memoryview[int] | list[int]
    lost: memoryview[float] | list[float]
    own: int


class Bucket:
    """Lets through ``rate`` a second; what was not used is kept for up to a second.

    A bucket holds what has ever flowed in, less what has passed and what ran over while it was full. Neither sum ever
    falls, so workers can share a bucket without waiting for each other: each adds to its own part and reads the rest.
    Two that look at the same instant may both take the last one: together they pass one more each, at most, than one
    alone would have.

    Args:
        rate: Requests a second, more than zero. Below one a second, the first request passes at once.
        counts: What it shares with others; by default it is this worker's alone.

    Example:
        >>> bucket = Bucket(2.0)
        >>> [bucket.wait(0.0) for _ in range(3)]
        [0.0, 0.0, 0.5]
        >>> bucket.wait(0.5)
        0.0
    """

    __slots__ = ("_lost", "_most", "_own", "_passed", "_places", "rate")

    def __init__(self, rate: float, counts: Counts | None = None) -> None:
        self.rate = rate
        self._most = max(1.0, rate)
        self._places, self._passed, self._lost, self._own = counts or Counts([1], [0], [0.0], 0)

    def wait(self, now: float) -> float:
        """Lets one through and returns 0, or returns the seconds until the next may pass.

        Args:
            now: Seconds of a clock that does not go back, the same one for all who share the bucket.
        """
        places = self._places[0]
        due = now * self.rate - sum(self._passed[:places])
        lost = max(self._lost[:places])
        if due > lost:
            self._lost[self._own] = lost = due
        left = self._most + (due - lost)
        if left < 1.0:
            return (1.0 - left) / self.rate
        self._passed[self._own] += 1
        return 0.0


def rate_of(text: str) -> float:
    """Requests a second of a text such as ``100/s`` or ``30/m``; 0 for an empty one.

    Raises:
        UsageError: The text is no rate.

    Example:
        >>> rate_of("100/s"), rate_of("30/m"), rate_of("")
        (100.0, 0.5, 0.0)
    """
    if not text:
        return 0.0
    found = _RATE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise UsageError(
            "not a rate", found=repr(text), expected="a number of requests per s, m or h, such as '100/s' or '30/m'"
        )
    return float(found[1]) / _SECONDS[found[2]]
