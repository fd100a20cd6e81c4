"""A course of figures in one line of characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"


def sparkline(values: Sequence[float | None], width: int, *, zero: bool = False) -> str:
    """The newest values that fit, each a bar; a dot where there is none.

    Args:
        values: Oldest first.
        width: Characters there are.
        zero: Whether the lowest bar is nought; else it is the lowest value.

    Example:
        >>> sparkline([1, 2, None, 4], 10)
        '▁▃·█'
        >>> sparkline([5, 5], 10), sparkline([1, 2, 3], 2)
        ('▄▄', '▁█')
    """
    shown = list(values)[-max(width, 0) :] if width > 0 else []
    known = [value for value in shown if value is not None and math.isfinite(value)]
    if not known:
        return _GAP * len(shown)
    low, high = (min(0.0, *known) if zero else min(known)), max(known)

    def bar(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return _GAP
        if high <= low:
            return _BARS[3]
        return _BARS[min(int((value - low) / (high - low) * len(_BARS)), len(_BARS) - 1)]

    return "".join(bar(value) for value in shown)
