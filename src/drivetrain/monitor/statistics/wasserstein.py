"""The Wasserstein distance: how far values would have to be moved, in the mean."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats


def wasserstein(gaps: Floats, widths: Floats) -> Floats:
    """The area between two distribution functions, in the values' own unit.

    Source: Vallender (1974): of one dimension, it is the first Wasserstein (earth mover's) distance.

    Args:
        gaps: One distribution function less the other, right after each value, shape (…, values).
        widths: How far it is to the next value, shape (values,).

    Example:
        >>> float(wasserstein(np.array([0.5, -0.25, 0.0]), np.array([1.0, 2.0, 0.0])))
        1.0
    """
    return np.asarray(np.abs(gaps) @ widths)
