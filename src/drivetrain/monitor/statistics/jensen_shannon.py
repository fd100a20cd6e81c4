"""The Jensen-Shannon distance between the shares of bins."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.shares import shares


def jensen_shannon(left: Floats, right: Floats) -> Floats:
    """The root of the mean divergence, in bits, of both from their average: 0 for equal shares, 1 for no bin in common.

    Source: Lin (1991); that its root is a metric, Endres and Schindelin (2003).

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> float(jensen_shannon(np.array([3.0, 0.0]), np.array([0.0, 5.0])))
        1.0
    """
    p, q = shares(left), shares(right)
    return np.sqrt(np.maximum(_entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2, 0.0))


def _entropy(parts: Floats) -> Floats:
    return np.asarray(-(parts * np.log2(np.where(parts > 0, parts, 1.0))).sum(axis=-1))
