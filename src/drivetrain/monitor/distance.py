"""How far apart two histograms over the same bins are."""

from __future__ import annotations

import math

import numpy as np

from drivetrain.core.errors import UnknownName
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import chi2_quantile

_HALF = 0.5
"""Jeffreys' half count in every bin: an empty bin would make PSI infinite."""


def distance(statistic: str, left: Floats, right: Floats) -> Floats:
    """A statistic between counts, over the last axis; the other axes broadcast.

    Args:
        statistic: ``psi``: Σ (p - q) ln(p / q), Jeffreys' divergence, with half a count added to every bin. ``js``: the
            Jensen-Shannon distance, base 2. ``ks``: the largest gap between the cumulated shares.
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins).

    Example:
        >>> float(distance("ks", np.array([10.0, 30, 60]), np.array([20.0, 30, 50])))
        0.1
    """
    if statistic == "psi":
        p, q = _shares(left + _HALF), _shares(right + _HALF)
        return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))
    p, q = _shares(left), _shares(right)
    if statistic == "ks":
        return np.asarray(np.abs(np.cumsum(p - q, axis=-1)).max(axis=-1).round(15))
    if statistic == "js":
        return np.sqrt(np.maximum(_entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2, 0.0))
    raise UnknownName(f"no drift statistic is called {statistic!r}", expected="psi, js or ks")


def noise(statistic: str, bins: int, inverse_rows: float, alpha: float) -> float:
    """What sampling alone exceeds with probability ``alpha`` when nothing changed and rows are independent.

    Args:
        statistic: As in :func:`distance`.
        bins: How many.
        inverse_rows: 1/n + 1/m for histograms of n and m rows.
        alpha: Probability.

    Returns:
        For PSI the quantile of χ² with bins - 1 degrees of freedom times 1/n + 1/m (Yurdakul 2018); for JS the root of
        the eighth of it in bits; for KS the asymptotic bound of Smirnov.
    """
    inverse_rows = max(inverse_rows, 0.0)
    if statistic == "ks":
        return math.sqrt(-0.5 * math.log(alpha / 2) * inverse_rows)
    divergence = chi2_quantile(1 - alpha, max(bins - 1, 1)) * inverse_rows
    return divergence if statistic == "psi" else math.sqrt(divergence / (8 * math.log(2)))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-300))


def _entropy(shares: Floats) -> Floats:
    return np.asarray(-(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=-1))
