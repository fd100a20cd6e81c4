"""What a table can hold: a frame's columns brought to the types that Delta keeps and gives back unchanged."""

from __future__ import annotations

import polars as pl

from drivetrain.core.errors import StoreError

_WIDER: dict[pl.DataType, pl.DataType] = {
    pl.UInt8(): pl.Int16(),
    pl.UInt16(): pl.Int32(),
    pl.UInt32(): pl.Int64(),
    pl.UInt64(): pl.Int64(),
}
"""Delta has no unsigned integers."""
_KEPT = (
    pl.Boolean,
    pl.Int8,
    pl.Int16,
    pl.Int32,
    pl.Int64,
    pl.Float32,
    pl.Float64,
    pl.String,
    pl.Binary,
    pl.Date,
    pl.Decimal,
)
_INTEGERS = (pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64())
_INSTANT = pl.Datetime("us", "UTC")


def kept_type(dtype: pl.DataType) -> pl.DataType | None:
    """The type that a column comes back with, or ``None`` for one that no table holds.

    Times become microseconds in UTC (those without a zone stay without), categories text, unsigned integers signed
    ones with room for them (64 bits stay 64: greater values are refused).

    Example:
        >>> kept_type(pl.Datetime("ns", "America/New_York"))
        Datetime(time_unit='us', time_zone='UTC')
    """
    if dtype in _WIDER:
        return _WIDER[dtype]
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return pl.String()
    if isinstance(dtype, pl.Datetime):
        return _INSTANT if dtype.time_zone else pl.Datetime("us")
    if isinstance(dtype, pl.List | pl.Array):
        inner = kept_type(pl.DataFrame(schema={"_": dtype.inner}).schema["_"])
        return None if inner is None else pl.List(inner)
    if isinstance(dtype, pl.Struct):
        fields = {field.name: kept_type(pl.DataFrame(schema={"_": field.dtype}).schema["_"]) for field in dtype.fields}
        whole = {name: kept for name, kept in fields.items() if kept is not None}
        return pl.Struct(whole) if whole and len(whole) == len(fields) else None
    return dtype if isinstance(dtype, _KEPT) else None


def fit(table: str, frame: pl.DataFrame, existing: pl.Schema | None) -> pl.DataFrame:
    """A frame as a table will keep it.

    Args:
        table: Name for messages.
        frame: The rows.
        existing: The table's columns, if it exists: theirs is the type where ours has no more to say (nulls only, a
            narrower number); a column it lacks is new.

    Raises:
        StoreError: A column of a type that no table holds, or of another type than the table's.
    """
    casts = []
    for name, dtype in frame.schema.items():
        there = None if existing is None else existing.get(name)
        target = there if there is not None and _widens(dtype, there) else kept_type(dtype)
        if target is None:
            raise StoreError(
                f"table {table}, column {name!r} can't be kept",
                found=dtype,
                expected="a number, text, a time, a boolean, bytes, a list or a struct",
                do="Cast the column first",
            )
        if there is not None and target != there:
            raise StoreError(
                f"table {table}, column {name!r} is of another type than before",
                found=dtype,
                expected=there,
                do="Cast the column, or replace the table",
            )
        if target != dtype:
            casts.append(pl.col(name).cast(target))
    try:
        return frame.with_columns(casts) if casts else frame
    except pl.exceptions.PolarsError as error:
        raise StoreError(f"table {table}: a value does not fit its column: {error}") from error


def _widens(dtype: pl.DataType, there: pl.DataType) -> bool:
    """Whether every value of ``dtype`` is one of the table's type too."""
    if isinstance(dtype, pl.Null):
        return True
    kept = kept_type(dtype)
    if isinstance(there, pl.Float64):
        return isinstance(kept, (pl.Float32, pl.Int8, pl.Int16, pl.Int32))
    if kept in _INTEGERS and there in _INTEGERS:
        return _INTEGERS.index(kept) <= _INTEGERS.index(there)
    return False
