"""Counts as shares of all."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats


def shares(counts: Floats) -> Floats:
    """Each count divided by the sum over the last axis; of nothing, nothing.

    Example:
        >>> shares(np.array([1.0, 3.0])).tolist()
        [0.25, 0.75]
    """
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-300))
