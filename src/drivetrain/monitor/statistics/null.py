"""What sampling alone does to a statistic of histograms when rows are independent: bounds from their theory."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import chi2_quantile
from drivetrain.monitor.statistics.statistic import statistic_of

_NORMAL = NormalDist()


def noise(
    statistic: str,
    bins: int,
    inverse_rows: float,
    alpha: float,
    spread: float | None = None,
) -> float:
    """What sampling alone exceeds with probability ``alpha`` when nothing changed and rows are independent.

    Args:
        statistic: Its name.
        bins: How many.
        inverse_rows: 1/n + 1/m for histograms of n and m rows.
        alpha: Probability.
        spread: For Wasserstein's and energy distances of numbers, :func:`root_area` of the reference; none of
            categories.

    Returns:
        For PSI the quantile of χ² with bins - 1 degrees of freedom times 1/n + 1/m (Yurdakul 2018); for Cohen's w the
        root of it, for JS of the eighth of it in bits, for Hellinger of the eighth; for total variation half of w,
        which it can't exceed (Cauchy and Schwarz). For KS the asymptotic bound of Smirnov. Gaps are a Brownian bridge:
        were they all of one sign and size in proportion to their deviations, Wasserstein's distance would be a normal
        deviate times ``spread``; they are not, so it is less.
    """
    found = statistic_of(statistic)
    inverse_rows = max(inverse_rows, 0.0)
    if statistic == "ks":
        return math.sqrt(-0.5 * math.log(alpha / 2) * inverse_rows)
    if found.gaps is not None and spread is not None:
        deviates = _NORMAL.inv_cdf(1 - alpha / 2)
        return deviates * spread * math.sqrt(inverse_rows)
    divergence = chi2_quantile(1 - alpha, max(bins - 1, 1)) * inverse_rows
    if statistic == "psi":
        return divergence
    parts = {"js": 1 / (8 * math.log(2)), "hellinger": 1 / 8, "tv": 1 / 4, "wasserstein": 1 / 4}
    share = parts.get(statistic, 1.0)
    return math.sqrt(divergence * share)


def root_area(below: Floats, widths: Floats, statistic: str) -> float:
    """What a deviate is multiplied with in :func:`noise` of a distance between values.

    Args:
        below: Share of the reference's values up to each of some points, shape (points,).
        widths: How far it is from there to the next point.
        statistic: ``wasserstein`` or ``energy``.
    """
    variance = below * (1 - below)
    if statistic == "energy":
        return math.sqrt(2.0 * float(variance @ widths))
    return float(np.sqrt(np.maximum(variance, 0.0)) @ widths)
