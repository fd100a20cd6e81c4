"""The Hellinger distance between the shares of bins."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.shares import shares


def hellinger(left: Floats, right: Floats) -> Floats:
    """The root of 1 - Σ √(p q): 0 for equal shares, 1 for no bin in common.

    Source: Hellinger (1909), in the form that Evidently and NannyML give.

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> then, now = np.array([16.0, 18, 16, 14, 12, 12]), np.array([16.0, 16, 16, 16, 16, 8])
        >>> round(float(hellinger(then, now)), 5)
        0.06813
    """
    # Σ (√p - √q)² / 2 is the same, and keeps its digits where both are nearly equal.
    return np.asarray(np.sqrt(0.5 * ((np.sqrt(shares(left)) - np.sqrt(shares(right))) ** 2).sum(axis=-1)))
