"""A figure that carries its uncertainty."""

from __future__ import annotations

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """A figure, its interval, and how many rows it rests on."""

    value: float
    low: float | None = None
    high: float | None = None
    count: int = 0
    level: float = 0.95
    """Coverage of the interval."""
