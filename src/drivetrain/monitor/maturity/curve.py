"""What share of labels has come by which age, of predictions that are of all ages."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from drivetrain.core.clock import DAY, HOUR, Micros
from drivetrain.evaluate.ranking import Floats

AGES: tuple[Micros, ...] = (HOUR, 6 * HOUR, *(days * DAY for days in (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)))
_Z = 1.959964


class Come(NamedTuple):
    """Share of labels that had come by an age, with a 95 % interval."""

    age: Micros
    share: float
    low: float
    high: float


def curve(ages: Floats, exposures: Floats, at: tuple[Micros, ...] = AGES) -> list[Come]:
    """The share of labels come, by age: Kaplan and Meier's estimate (1958), Greenwood's variance on the log-log scale.

    A prediction whose label has not come yet counts for as long as it has been waited for. Rows of a day may come
    together; the interval takes them one by one.

    Args:
        ages: From each prediction to its label; NaN where it has not come, shape (n,).
        exposures: How old each prediction is, same unit.
        at: Ages to tell; those older than every prediction are left out.

    Example:
        >>> found = curve(np.array([1.0, 2, np.nan, np.nan]), np.array([9.0, 9, 9, 1.5]), (1, 4))
        >>> [(one.age, round(one.share, 3)) for one in found]
        [(1, 0.25), (4, 0.625)]
    """
    came = np.isfinite(ages) & (ages <= exposures)
    time = np.where(came, ages, exposures)
    moments, place = np.unique(time, return_inverse=True)
    events = np.bincount(place, weights=came, minlength=len(moments))
    left = np.bincount(place, minlength=len(moments))
    waiting = len(time) - np.concatenate([[0], np.cumsum(left)[:-1]]) if len(moments) else np.empty(0)
    still = np.cumprod(1 - events / np.maximum(waiting, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = np.cumsum(np.where(waiting > events, events / (waiting * (waiting - events)), 0.0))
    oldest = float(exposures.max()) if len(exposures) else 0.0
    found: list[Come] = []
    for age in at:
        if age > oldest:
            break
        index = int(np.searchsorted(moments, age, side="right")) - 1
        share = float(still[index]) if index >= 0 else 1.0
        found.append(Come(age, 1 - share, *_interval(share, float(noise[index]) if index >= 0 else 0.0)))
    return found


def settled(ages: Floats, exposures: Floats) -> Micros | None:
    """Age by which nineteen of twenty labels that came had come; none while more may be under way.

    More may be where labels came of an age beyond half of the oldest prediction's.
    """
    came = np.isfinite(ages) & (ages <= exposures)
    if came.sum() < 20:
        return None
    oldest = float(exposures.max())
    mature = came & (exposures >= oldest / 2)
    if not mature.any():
        return None
    late = float(np.quantile(ages[mature], 0.95, method="higher"))
    return int(late) if late <= oldest / 3 else None


def _interval(still: float, noise: float) -> tuple[float, float]:
    if not 0 < still < 1 or noise <= 0:
        return 1 - still, 1 - still
    wide = _Z * math.sqrt(noise) / abs(math.log(still))
    centre = math.log(-math.log(still))
    ends = sorted(1 - math.exp(-math.exp(centre + side * wide)) for side in (-1, 1))
    return ends[0], ends[1]
