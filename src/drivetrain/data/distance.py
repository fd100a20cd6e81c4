"""How far a batch's values are from a reference's, by their profiles, and how far chance alone would put them."""

from __future__ import annotations

import numpy as np

from drivetrain.core.special import special
from drivetrain.data.profile import ColumnProfile
from drivetrain.data.sketches.quantiles import Floats

BINS = 10
ALPHA = 0.001
"""How often sampling alone is taken for a change."""
_HALF = 0.5
"""Jeffreys' half count in every bin: an empty bin would make the divergence infinite."""


def shift(reference: ColumnProfile, found: ColumnProfile) -> tuple[float, float] | None:
    """How far two columns are apart.

    Args:
        reference: What values were.
        found: What they are.

    Returns:
        Jeffreys' divergence (the population stability index) between shares of bins, nulls being one of them; and what
        sampling alone exceeds once in a thousand times where nothing changed (Yurdakul 2018). None where there are too
        few rows to say, or values that can't be compared. Where only counts are kept, it is of nulls against values.
    """
    counts = _numbers(reference, found) if reference.quantiles.count else _categories(reference, found)
    if counts is None:
        return None
    before, now = (np.append(bins, nulls) for bins, nulls in zip(counts, (reference.nulls, found.nulls), strict=True))
    if min(before.sum(), now.sum()) < BINS:
        return None
    used = (before + now) > 0
    p, q = ((part[used] + _HALF) / (part[used] + _HALF).sum() for part in (before, now))
    noise = special().chdtri(max(int(used.sum()) - 1, 1), ALPHA) * (1 / before.sum() + 1 / now.sum())
    return float(((p - q) * np.log(p / q)).sum()), float(noise)


def _numbers(reference: ColumnProfile, found: ColumnProfile) -> tuple[Floats, Floats] | None:
    if not found.quantiles.count:
        return None if found.values else (np.array([reference.quantiles.count * 1.0]), np.zeros(1))
    inner = reference.quantiles.at([share / BINS for share in range(1, BINS)])
    # A value that is two deciles at once is a bin of its own, which ends where its next neighbour begins.
    edges = np.unique([*inner, *(np.nextafter(value, np.inf) for value in inner if inner.count(value) > 1)])
    before, now = (
        np.diff(np.concatenate([[0.0], part.quantiles.below(edges), [part.quantiles.count]]))
        for part in (reference, found)
    )
    full = before > 0
    # Bins that the reference leaves empty are one.
    return (
        np.append(before[full], before[~full].sum()),
        np.append(now[full], now[~full].sum()),
    )


def _categories(reference: ColumnProfile, found: ColumnProfile) -> tuple[Floats, Floats] | None:
    if not reference.shown and not found.shown:
        return np.array([reference.values * 1.0]), np.array([found.values * 1.0])  # nulls are all that can be told
    known = list(reference.frequent.counts)[: 2 * BINS]
    if not known:
        return None
    before, now = (
        np.array([*(part.frequent.counts.get(name, 0) for name in known), 0.0], np.float64)
        for part in (reference, found)
    )
    before[-1], now[-1] = max(reference.values - before.sum(), 0.0), max(found.values - now.sum(), 0.0)
    return before, now
