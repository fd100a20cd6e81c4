"""What such windows had before, and how far beyond it chance may reach: an interval for one more window.

The interval is that of one more value of a normal sample (Student's t with ``n - 1`` degrees of freedom, over
``sqrt(1 + 1 / n)`` deviations), taken where windows vary alike: of counts and times their logarithm, of shares the arc
sine of the root. The deviation is no smaller than what rows dealt by lot would have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean, median, stdev
from typing import Literal, NamedTuple, TypeAlias

from drivetrain.core.records import Usual
from drivetrain.evaluate.student import t_quantile
from drivetrain.monitor.tables.spans import LEAST

Scale: TypeAlias = Literal["count", "share", "time"]
_MINUTE = 60.0


class Bounds(NamedTuple):
    """What counts as beyond the usual.

    Attributes:
        scale: What the figure is.
        least: The smallest change worth a word: of counts and times a share of the middle one, of shares a difference.
        alpha: Probability that chance alone goes beyond, on either side together.
        below: Whether less than usual is odd, too.
        floor: The smallest change of a time worth a word, in seconds.
    """

    scale: Scale
    least: float
    alpha: float
    below: bool = True
    floor: float = 0.0


def usual(value: float, before: Sequence[float], rows: float, asked: Bounds) -> Usual:
    """Holds a figure against those of windows before.

    Args:
        value: The window's.
        before: Those of windows before.
        rows: Rows that a share was taken over.
        asked: What counts as beyond.

    Example:
        >>> seen = usual(40.0, [100.0, 110.0, 95.0, 104.0, 99.0], 0, Bounds("count", 0.3, 0.01))
        >>> seen.odd, round(seen.low), round(seen.high)
        (True, 61, 169)
    """
    middle = median(before) if before else None
    if middle is None or len(before) < LEAST:
        return Usual(value=value, middle=middle, windows=len(before))
    opened, shut = _SCALES[asked.scale]
    known = [opened(one) for one in before]
    many = len(known)
    noise = {"count": 1 / math.sqrt(max(middle, 1.0)), "share": 1 / math.sqrt(max(rows, 1.0)), "time": 0.0}
    spread = max(stdev(known), noise[asked.scale]) * math.sqrt(1 + 1 / many)
    reach = t_quantile(1 - asked.alpha / (2 if asked.below else 1), many - 1) * spread
    low, high = shut(fmean(known) - reach), shut(fmean(known) + reach)
    down, up = _effect(middle, asked)
    return Usual(
        value=value,
        middle=middle,
        low=min(low, down) if asked.below else None,
        high=max(high, up),
        windows=many,
    )


def _effect(middle: float, asked: Bounds) -> tuple[float, float]:
    if asked.scale == "share":
        return middle - asked.least, middle + asked.least
    if asked.scale == "count":
        return middle * (1 - asked.least), middle / (1 - asked.least)
    return 0.0, max(middle * (1 + asked.least), middle + asked.floor)


def _share(value: float) -> float:
    return 2 * math.asin(math.sqrt(min(max(value, 0.0), 1.0)))


def _unshare(value: float) -> float:
    return math.sin(min(max(value, 0.0), math.pi) / 2) ** 2


_SCALES: dict[Scale, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "count": (lambda value: math.log1p(max(value, 0.0)), lambda value: math.expm1(min(value, 50.0))),
    "share": (_share, _unshare),
    "time": (
        lambda value: math.log(max(value, 0.0) + _MINUTE),
        lambda value: math.exp(min(value, 50.0)) - _MINUTE,
    ),
}
