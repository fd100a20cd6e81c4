"""Values of a column as the text that slices and groups are told apart by."""

from __future__ import annotations

import polars as pl

_EXACT = 2.0**53
"""Below it a float holds every whole number."""


def named(column: pl.Series) -> pl.Series:
    """Values as text; a whole number reads the same whether its column holds integers or floats.

    A training set has a column of integers as such, and the log holds all numbers as floats.

    Args:
        column: Any values.

    Returns:
        Text; null where there is no value.

    Example:
        >>> named(pl.Series([3.0, 0.5, None])).to_list(), named(pl.Series([3])).to_list()
        (['3', '0.5', None], ['3'])
    """
    text = column.cast(pl.String)
    if not column.dtype.is_float():
        return text
    whole = column.is_finite() & (column == column.round()) & (column.abs() < _EXACT)
    exact = column.cast(pl.Float64).cast(pl.Int64, strict=False).cast(pl.String)
    return pl.select(pl.when(whole).then(exact).otherwise(text).alias(column.name)).to_series()


def named_before(value: str) -> str:
    """The name of a number as :func:`named` has it, of one that was told with a fraction of zero.

    Example:
        >>> named_before("3.0"), named_before("3.5")
        ('3', '3.5')
    """
    return value.removesuffix(".0")
