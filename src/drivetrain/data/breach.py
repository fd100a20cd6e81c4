"""Rows that break a rule, and how that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from drivetrain.core.clock import iso, micros_of


@dataclass(frozen=True)
class Breach:
    """A rule and the rows of one frame that break it.

    Attributes:
        subject: The column, or what the row check says.
        expected: What should have been there; empty where the subject says it all.
        rows: One boolean per row of the frame: true where the rule is broken.
        values: What was found, one value per row of the frame; a struct where several columns matter.
        hard: Whether such a row can't be kept under any policy.
    """

    subject: str
    expected: str
    rows: pl.Series
    values: pl.Series
    hard: bool = False

    @property
    def rule(self) -> str:
        """The rule without the values, to count by."""
        return f"{self.subject}: expected {self.expected}" if self.expected else self.subject

    @property
    def count(self) -> int:
        """How many rows break it."""
        return int(self.rows.sum())

    def told(self) -> list[tuple[int, str]]:
        """(row, reason) for each row that breaks it; the reason says what was found."""
        places = self.rows.arg_true()
        wanted = f", expected {self.expected}" if self.expected else ""
        return [
            (place, f"{self.subject}: found {show(value)}{wanted}")
            for place, value in zip(places.to_list(), self.values.gather(places).to_list(), strict=True)
        ]


def show(value: object) -> str:
    """A value as a person would write it; long text is cut.

    Example:
        >>> show({"temp": 13.1, "month": 5})
        'temp=13.1, month=5'
    """
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{name}={show(part)}" for name, part in value.items())
    if isinstance(value, datetime):
        return iso(micros_of(value)) if value.tzinfo else value.isoformat()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def any_of(breaches: Sequence[Breach], height: int) -> pl.Series:
    """One boolean per row: whether any of the rules is broken."""
    broken = pl.Series([False]).new_from_index(0, height) if height else pl.Series([], dtype=pl.Boolean)
    for breach in breaches:
        broken |= breach.rows
    return broken.alias("broken")


def reasons_of(breaches: Sequence[Breach]) -> dict[int, list[tuple[str, str]]]:
    """Row → (rule, reason) of all that it breaks, for rows that break any."""
    reasons: dict[int, list[tuple[str, str]]] = {}
    for breach in breaches:
        for place, reason in breach.told():
            reasons.setdefault(place, []).append((breach.rule, reason))
    return reasons
