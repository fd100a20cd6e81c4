"""Token buckets: a steady rate, with room for a burst of one second's worth.

Source: J. Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986 (the leaky bucket as a
meter).
"""

from __future__ import annotations

import re

from drivetrain.core.errors import UsageError

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Bucket:
    """Lets through ``rate`` a second; what was not used is kept for up to a second.

    Args:
        rate: Requests a second, more than zero. Below one a second, the first request passes at once.

    Example:
        >>> bucket = Bucket(2.0)
        >>> [bucket.wait(0.0) for _ in range(3)]
        [0.0, 0.0, 0.5]
        >>> bucket.wait(0.5)
        0.0
    """

    __slots__ = ("_left", "_most", "_seen", "rate")

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._most = max(1.0, rate)
        self._left = self._most
        self._seen = float("-inf")

    def wait(self, now: float) -> float:
        """Lets one through and returns 0, or returns the seconds until the next may pass.

        Args:
            now: Seconds of a clock that does not go back.
        """
        left = min(self._most, self._left + (now - self._seen) * self.rate)
        self._seen = now
        if left >= 1.0:
            self._left = left - 1.0
            return 0.0
        self._left = left
        return (1.0 - left) / self.rate


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
