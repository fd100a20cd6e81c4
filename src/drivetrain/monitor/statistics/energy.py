"""The energy distance: from it, two distributions are equal exactly where it is nought."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.shares import shares


def energy(gaps: Floats, widths: Floats) -> Floats:
    """Twice the area under the squared gaps, under the root.

    It is 2 E|X - Y| - E|X - X'| - E|Y - Y'|, under the root, for values X, X' of one side and Y, Y' of the other.

    Source: Székely and Rizzo (2013); `scipy.stats.energy_distance`. Its unit is the root of the values' own.

    Args:
        gaps: One distribution function less the other, right after each value, shape (…, values).
        widths: How far it is to the next value, shape (values,).

    Example:
        >>> float(energy(np.array([0.5, 0.0]), np.array([2.0, 0.0])))
        1.0
    """
    return np.asarray(np.sqrt(2.0 * (np.square(gaps) @ widths)))


def energy_of_categories(left: Floats, right: Floats) -> Floats:
    """The energy distance where any two categories are one apart: the root of Σ (p - q)².

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> float(energy_of_categories(np.array([1.0, 0.0]), np.array([1.0, 1.0])).round(4))
        0.7071
    """
    return np.asarray(np.sqrt(((shares(left) - shares(right)) ** 2).sum(axis=-1)))
