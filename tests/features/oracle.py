"""Features by brute force, in plain Python, from the rules in DESIGN.md."""

from __future__ import annotations

import math
from collections import Counter
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
    argument: float | None = None
    offset: int = 0
    hop: int | None = None

    @property
    def looked_up(self) -> bool:
        """Whether it is read off the newest rows."""
        return self.kind in ("last", "since")

    def begin(self, at: int) -> int | None:
        """The moment after which events are in the window; none for the whole history."""
        if self.window is None:
            return None
        begin = at - self.offset - self.window
        return begin if self.hop is None else math.floor(Fraction(begin, self.hop)) * self.hop


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
    if ask.looked_up:
        return looked_up(ask, seen, at)
    begin = ask.begin(at)
    seen = [
        row for row in seen if row["_event_time"] <= at - ask.offset and (begin is None or row["_event_time"] > begin)
    ]
    if ask.value is None:
        return len(seen)
    return aggregate(ask.kind, [value for row in seen if counts(value := ask.value(row))], ask.argument)


def looked_up(ask: Ask, seen: Sequence[Row], at: int) -> Any:
    """What the newest of the rows, or the one asked for among the newest, says."""
    ranked = sorted(seen, key=lambda row: (row["_event_time"], row["_seq"]), reverse=True)
    rank = int(ask.argument or 0)
    if rank >= len(ranked):
        return None
    newest = ranked[rank]
    if ask.ttl is not None and newest["_event_time"] <= at - ask.ttl:
        return None
    if ask.value is None:
        return (at - newest["_event_time"]) / 1e6
    value = ask.value(newest)
    return value if counts(value) else None


def counts(value: Any) -> bool:
    """Whether a value is one; nulls and numbers too large to be squared are none."""
    if value is None or isinstance(value, str):
        return value is not None
    return math.isfinite(value) and abs(value) < 2.0**480


def aggregate(kind: str, values: Sequence[Any], argument: float | None = None) -> Any:
    """The aggregate of values without nulls."""
    if kind == "count":
        return len(values)
    if kind == "distinct":
        return len(set(values))
    if kind == "top":
        ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
        return ranked[int(argument or 0)][0] if argument < len(ranked) else None
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
    if kind == "quantile":
        return quantile(sorted(map(float, values)), argument)
    exact = [Fraction(value) for value in values]
    middle = sum(exact) / len(exact)
    return math.sqrt(sum((value - middle) ** 2 for value in exact) / (len(exact) - 1))


def quantile(values: Sequence[float], q: float) -> float:
    """Hyndman and Fan's definition 7, of sorted values."""
    h = (len(values) - 1) * q
    below = math.floor(h)
    above = min(below + 1, len(values) - 1)
    return values[below] + (h - below) * (values[above] - values[below])


def same(kind: str, found: Any, expected: Any) -> bool:
    """Whether a value is the expected one: exactly, but for standard deviations."""
    if found is None or expected is None:
        return found is None and expected is None
    if kind == "std":
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return found == expected
