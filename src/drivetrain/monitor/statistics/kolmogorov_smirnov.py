"""The Kolmogorov-Smirnov statistic: the largest gap between two distribution functions."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats


def kolmogorov_smirnov(gaps: Floats, widths: Floats) -> Floats:
    """The largest of the gaps, apart from those that lie between equal values.

    Source: Smirnov (1939).

    Args:
        gaps: One distribution function less the other, right after each value, shape (…, values).
        widths: How far it is to the next value, above 0 where there is one, shape (values,).

    Example:
        >>> float(kolmogorov_smirnov(np.array([0.5, -0.25, 0.0]), np.array([0.0, 2.0, 0.0])))
        0.25
    """
    told = widths > 0
    if not told.any():
        return np.zeros(gaps.shape[:-1])
    return np.asarray(np.abs(gaps[..., told]).max(axis=-1))
