"""Values as small whole numbers that sort as they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.features.events import numbers

Codes: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Coded:
    """A column's values, each as its place among the different ones.

    Attributes:
        codes: Place of each row's value among ``values``; -1 for what counts for nothing.
        values: The different values in ascending order: numbers, with booleans as 0 and 1, or texts.
    """

    codes: Codes
    values: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> Coded:
        """Codes numbers, booleans or texts.

        Example:
            >>> Coded.of(pl.Series(["b", None, "a", "b"])).codes.tolist()
            [1, -1, 0, 1]
        """
        if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
            # Adding zero makes the two zeros one.
            column = pl.Series(numbers(column) + 0.0, nan_to_null=True)
            codes = column.rank("dense").cast(pl.Int32) - 1
            values = column.unique().drop_nulls().sort()
        else:
            column = column.cast(pl.String)
            values = column.unique().drop_nulls().sort()
            codes = column.cast(pl.Enum(values)).to_physical().cast(pl.Int32)
        return cls(codes.fill_null(-1).to_numpy(), values)
