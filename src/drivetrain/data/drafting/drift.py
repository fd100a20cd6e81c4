"""How far distributions of good deliveries were from the deliveries before them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from drivetrain.data.distance import shift
from drivetrain.data.profile import ColumnProfile, column_profile

LEAST_BEFORE = 3
"""Deliveries that must have come before one that is compared with them."""
MOST = 0.8
"""A distance that a delivery may have by the season alone is no limit any more."""


def drift(parts: Sequence[pl.DataFrame], names: Sequence[str]) -> dict[str, float]:
    """Column → the greatest distance from the deliveries before that the next may have; those that wander are left out.

    Args:
        parts: Good deliveries, in order.
        names: Columns to look at.
    """
    found: dict[str, float] = {}
    for name in names:
        seen = _distances([column_profile(part[name]) for part in parts])
        if not seen:
            continue
        limit = math.ceil(100 * (3 * max(seen) + 0.1)) / 100
        if limit <= MOST:
            found[name] = limit
    return found


def _distances(profiles: Sequence[ColumnProfile]) -> list[float]:
    before: ColumnProfile | None = profiles[0]
    seen: list[float] = []
    for at, profile in enumerate(profiles[1:], start=1):
        if before is None:
            break
        moved = shift(before, profile) if at >= LEAST_BEFORE else None
        if moved is not None:
            seen.append(max(moved[0] - moved[1], 0.0))
        before = before.merge(profile)
    return seen
