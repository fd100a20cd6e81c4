"""A rule that data suggest, as an expression and as the Python that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        says: What it says.
        expression: The rule.
        python: The same as Python, where ``pl`` is Polars.
    """

    says: str
    expression: pl.Expr
    python: str


def quoted(text: str) -> str:
    """Text as Python, in double quotes where it has none."""
    made = repr(text)
    return made if made.startswith('"') or '"' in text else f'"{made[1:-1]}"'.replace("\\'", "'")


def column(name: str) -> str:
    """A column as Python."""
    return f"pl.col({quoted(name)})"


def widened(values: Sequence[float] | Floats, least: float) -> tuple[float, float]:
    """The range of some values, made wider on both sides by what they differ by, or by ``least`` where that is more."""
    low, high = float(np.min(values)), float(np.max(values))
    room = max(high - low, least)
    return low - room, high + room


def numbers(series: pl.Series) -> Floats:
    """Values as floats, NaN where there is none or no finite one; moments as microseconds."""
    physical = series.to_physical() if series.dtype.is_temporal() else series
    made: Floats = physical.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(made), made, np.nan)
