"""Which columns a source delivers, and how that has changed: new, lost, retyped, perhaps renamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import msgspec
import polars as pl

_NUMBERS = {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "Null"}


class ShapeChange(msgspec.Struct, frozen=True):
    """What is different about the columns of a delivery.

    Attributes:
        new: Column → type.
        lost: Column → the type it had.
        retyped: Column → the type it had, and the one it comes with.
        renamed: Lost column → new ones that may be it.
    """

    new: dict[str, str] = {}
    lost: dict[str, str] = {}
    retyped: dict[str, tuple[str, str]] = {}
    renamed: dict[str, tuple[str, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self.new or self.lost or self.retyped)

    def lines(self) -> list[str]:
        """The change as a diff.

        Example:
            >>> ShapeChange(lost={"dep": "Int64"}, new={"departure": "Int64"}, renamed={"dep": ("departure",)}).lines()
            ["- dep Int64 (renamed 'departure'?)", '+ departure Int64']
        """
        asked = {name: f" (renamed {' or '.join(map(repr, names))}?)" for name, names in self.renamed.items()}
        return [
            *(f"- {name} {kind}{asked.get(name, '')}" for name, kind in self.lost.items()),
            *(f"+ {name} {kind}" for name, kind in self.new.items()),
            *(f"~ {name} {old} → {new}" for name, (old, new) in self.retyped.items()),
        ]


def shape_of(frame: pl.DataFrame) -> dict[str, str]:
    """Column → type of a delivery, as it came."""
    return {name: str(dtype) for name, dtype in frame.schema.items()}


def shape_change(before: Mapping[str, str], now: Mapping[str, str]) -> ShapeChange:
    """What is different; nothing where nothing came before. Whole numbers where others were are no change of type."""
    if not before or not now:
        return ShapeChange()
    lost = {name: kind for name, kind in before.items() if name not in now}
    new = {name: kind for name, kind in now.items() if name not in before}
    retyped = {
        name: (before[name], kind)
        for name, kind in now.items()
        if before.get(name, kind) != kind
        and not {before[name], kind} <= _NUMBERS
        and "Null" not in {before[name], kind}
    }
    return ShapeChange(new, lost, retyped, alike(lost, new))


def alike(missing: Iterable[str], others: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For missing names, others that are spelled alike; those without are left out.

    Example:
        >>> alike(["dep_delay"], ["departure_delay", "carrier"])
        {'dep_delay': ('departure_delay',)}
    """
    lower = {name.lower(): name for name in others}
    close = {name: get_close_matches(name.lower(), lower, n=2, cutoff=0.5) for name in missing}
    return {name: tuple(lower[match] for match in matches) for name, matches in close.items() if matches}
