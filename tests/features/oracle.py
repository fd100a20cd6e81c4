"""Features by brute force, in plain Python, from the rules in DESIGN.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """A feature, said again in plain Python."""

    kind: str
    value: Callable[[Row], Any] | None
    window: int | None = None
    where: Callable[[Row], bool | None] | None = None
    ttl: int | None = None


def feature(ask: Ask, rows: Sequence[Row], key: Any, at: int) -> Any:
    """The feature of the entity at the moment; ``None`` for null."""
    if key is None:
        return None
    seen = [
        row
        for row in rows
        if row["key"] == key
        and row["_event_time"] is not None
        and row["_available_at"] is not None
        and max(row["_event_time"], row["_available_at"]) <= at
        and (ask.where is None or ask.where(row) is True)
    ]
    if ask.kind == "last":
        newest = max(seen, key=lambda row: (row["_event_time"], row["_seq"]), default=None)
        if newest is None or (ask.ttl is not None and newest["_event_time"] <= at - ask.ttl):
            return None
        value = ask.value(newest)
        return None if isinstance(value, float) and not math.isfinite(value) else value
    if ask.window is not None:
        seen = [row for row in seen if row["_event_time"] > at - ask.window]
    if ask.value is None:
        return len(seen)
    values = [value for row in seen if (value := ask.value(row)) is not None]
    values = [value for value in values if not isinstance(value, float) or math.isfinite(value)]
    return aggregate(ask.kind, values)


def aggregate(kind: str, values: Sequence[Any]) -> Any:
    """The aggregate of values without nulls."""
    if kind == "count":
        return len(values)
    if not values or (kind == "std" and len(values) < 2):
        return None
    if kind == "sum":
        return math.fsum(values)
    if kind in ("mean", "share"):
        return math.fsum(values) / len(values)
    if kind == "min":
        return min(values)
    if kind == "max":
        return max(values)
    exact = [Fraction(value) for value in values]
    middle = sum(exact) / len(exact)
    return math.sqrt(sum((value - middle) ** 2 for value in exact) / (len(exact) - 1))


def same(kind: str, found: Any, expected: Any) -> bool:
    """Whether a value is the expected one: exactly, but for standard deviations."""
    if found is None or expected is None:
        return found is None and expected is None
    if kind == "std":
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return found == expected
