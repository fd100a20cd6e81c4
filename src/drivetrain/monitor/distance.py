"""How far apart two histograms over the same bins are."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.null import noise
from drivetrain.monitor.statistics.shares import shares
from drivetrain.monitor.statistics.statistic import statistic_of

__all__ = ["distance", "noise"]


def distance(statistic: str, left: Floats, right: Floats, widths: Floats | None = None) -> Floats:
    """A statistic between counts, over the last axis; the other axes broadcast.

    Args:
        statistic: Its name: ``psi``, ``js``, ``ks``, ``chi2`` (as Cohen's w), ``hellinger``, ``tv``, ``wasserstein``
            or ``energy``.
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins).
        widths: How far it is from each bin's end to the next one's, for Wasserstein's and energy distances of numbers,
            shape (bins,); without, any two bins are one apart.

    Raises:
        UnknownName: No statistic is called that.

    Example:
        >>> float(distance("ks", np.array([10.0, 30, 60]), np.array([20.0, 30, 50])))
        0.1
    """
    found = statistic_of(statistic)
    if widths is None or found.gaps is None or statistic == "ks":
        return found.counts(left, right)
    return found.gaps(np.cumsum(shares(left) - shares(right), axis=-1), widths)
