"""What a slice can be told by: the values of a column, a number's fifths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.records.discovery import Condition
from drivetrain.evaluate.bias.groups import Protected, groupings

MOST_COLUMNS = 60
"""Columns that are searched in pairs: those that single conditions say most of."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as codes.

    Attributes:
        column: Its name.
        values: What each code stands for.
        codes: Of each row, shape (n,).
    """

    column: str
    values: tuple[str, ...]
    codes: npt.NDArray[np.intp]

    def condition(self, code: int) -> Condition:
        """The condition that a code stands for."""
        return Condition(self.column, self.values[code])


def coded(columns: pl.DataFrame) -> list[Coded]:
    """Every column that tells rows apart: text, truth values, and numbers by their fifths; no times, no lists."""
    found = []
    for column in columns.iter_columns():
        if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)):
            continue
        (grouping,) = groupings(column.to_frame(), [Protected(column.name)])
        if 1 < len(grouping.values) < len(column):
            values = tuple(value for (value,) in grouping.values)
            found.append(Coded(column.name, values, grouping.codes.astype(np.intp)))
    return found
