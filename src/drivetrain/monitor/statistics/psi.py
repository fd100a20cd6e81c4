"""The population stability index: Jeffreys' divergence between the shares of bins."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.shares import shares

HALF = 0.5
"""Jeffreys' half count in every bin: an empty bin would make the index infinite."""


def psi(left: Floats, right: Floats) -> Floats:
    """Σ (p - q) ln(p / q), with half a count added to every bin.

    Source: Jeffreys (1946); as an index of credit scoring, Siddiqi (2006), with .1 for a little shift and .25 for much.

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> round(float(psi(np.array([50.0, 50.0]), np.array([70.0, 30.0]))), 4)
        0.1659
    """
    p, q = shares(left + HALF), shares(right + HALF)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))
