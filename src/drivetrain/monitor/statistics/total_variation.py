"""Total variation: the share of rows that would have to move to another bin."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.shares import shares


def total_variation(left: Floats, right: Floats) -> Floats:
    """Half of Σ |p - q|: the largest difference in probability that any set of bins shows.

    It is also the Wasserstein distance of categories, where any two are one apart.

    Source: Levin, Peres and Wilmer, "Markov chains and mixing times" (2009), 4.1.

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> float(total_variation(np.array([5.0, 5.0]), np.array([3.0, 1.0])))
        0.25
    """
    return np.asarray(0.5 * np.abs(shares(left) - shares(right)).sum(axis=-1))
