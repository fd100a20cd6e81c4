"""The drift statistics by name: what each is of, and from which value on it is worth a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from drivetrain.core.errors import UnknownName
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.chi_square import cohens_w
from drivetrain.monitor.statistics.energy import energy, energy_of_categories
from drivetrain.monitor.statistics.hellinger import hellinger
from drivetrain.monitor.statistics.jensen_shannon import jensen_shannon
from drivetrain.monitor.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from drivetrain.monitor.statistics.psi import psi
from drivetrain.monitor.statistics.shares import shares
from drivetrain.monitor.statistics.total_variation import total_variation
from drivetrain.monitor.statistics.wasserstein import wasserstein

StatisticName: TypeAlias = Literal["psi", "js", "ks", "chi2", "hellinger", "tv", "wasserstein", "energy"]
Between: TypeAlias = Callable[[Floats, Floats], Floats]


class Statistic(msgspec.Struct, frozen=True):
    """One of them.

    Attributes:
        name: Its short name.
        effect: The value from which on a difference is worth a word; all are of like size.
        counts: Its value from two histograms over the same bins, shape (…, bins) each.
        gaps: Its value from gaps between distribution functions and the widths they hold for; none where it is of bins
            alone. The gaps of Wasserstein's and energy distances are over values divided by :func:`scale`.
        rooted: Whether sampling moves it by the root of 1/n + 1/m in quadrature, as the root of a divergence; else it
            is added.
        bounded: Whether it is at most 1.
    """

    name: StatisticName
    effect: float
    counts: Between
    gaps: Between | None = None
    rooted: bool = False
    bounded: bool = False


def ks_of_counts(left: Floats, right: Floats) -> Floats:
    """The largest gap between cumulated shares, in the order of the bins.

    Example:
        >>> float(ks_of_counts(np.array([10.0, 30, 60]), np.array([20.0, 30, 50])))
        0.1
    """
    gaps = np.cumsum(shares(left) - shares(right), axis=-1)
    return np.asarray(np.abs(gaps).max(axis=-1).round(15))


STATISTICS: dict[str, Statistic] = {
    each.name: each
    for each in (
        Statistic("psi", 0.2, psi),
        Statistic("js", 0.15, jensen_shannon, rooted=True, bounded=True),
        Statistic("ks", 0.1, ks_of_counts, kolmogorov_smirnov, bounded=True),
        Statistic("chi2", 0.3, cohens_w, rooted=True),
        Statistic("hellinger", 0.1, hellinger, rooted=True, bounded=True),
        Statistic("tv", 0.1, total_variation, bounded=True),
        Statistic("wasserstein", 0.2, total_variation, wasserstein),
        Statistic("energy", 0.15, energy_of_categories, energy, rooted=True),
    )
}
"""Effects: PSI .2 is the convention for a shift, χ²'s .3 is Cohen's medium w, Wasserstein's .2 his small d."""


def statistic_of(name: str) -> Statistic:
    """The statistic of that name.

    Raises:
        UnknownName: There is none.

    Example:
        >>> statistic_of("ks").effect
        0.1
    """
    found = STATISTICS.get(name)
    if found is None:
        *others, last = STATISTICS
        raise UnknownName(f"no drift statistic is called {name!r}", expected=f"{', '.join(others)} or {last}")
    return found


def scale(low: float, high: float, spread: float) -> float:
    """The unit that distances between values are told in: a standard deviation, as a normal one would have it.

    Args:
        low: The 5th percentile of the reference.
        high: Its 95th.
        spread: Its standard deviation, for where both are equal.

    Returns:
        Nine tenths of the values lie within 3.29 of them; heavy tails, whose deviation may be without bound, do not
        change it.

    Example:
        >>> round(scale(-1.645, 1.645, 0.0), 3)
        1.0
    """
    inner = (high - low) / 3.2897
    usual = inner if inner > 0 else spread
    return usual if np.isfinite(usual) and usual > 0 else 1.0
