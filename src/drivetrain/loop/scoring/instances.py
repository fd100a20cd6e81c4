"""Columns of a file as instances of an endpoint: brought to its fields' types, and what does not fit named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import polars as pl

from drivetrain.core.clock import datetime_of, micros_of
from drivetrain.core.errors import SourceError, UsageError
from drivetrain.data.breach import show
from drivetrain.data.casting import cast
from drivetrain.data.column import PRIVATE
from drivetrain.data.veil import MASKED
from drivetrain.features.request import TYPES
from drivetrain.serve.instance import WORDS
from drivetrain.serve.plan import FieldType, RequestField

_MOMENT = TYPES["time"]
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Misfit:
    """Rows of a batch whose value of a field can't be taken.

    Attributes:
        field: The field.
        rows: One boolean per row of the batch.
        values: What was found, one per row.
    """

    field: RequestField
    rows: pl.Series
    values: Sequence[Any] | pl.Series

    def told(self, row: int) -> str:
        """What is wrong with a row; what must not be shown is not quoted."""
        found = MASKED if self.field.privacy in PRIVATE else show(self.values[row])
        return f"{self.field.name}: found {found}, expected {expected(self.field)}"


def expected(field: RequestField) -> str:
    """What a field must hold, in words."""
    return WORDS[field.type] + (" or null" if field.nullable else "")


def check_columns(
    name: str, schema: Mapping[str, pl.DataType], fields: Sequence[RequestField], *, by_value: bool
) -> None:
    """Refuses a file whose columns can't be an endpoint's fields, whatever their values.

    Args:
        name: The file's name, for messages.
        schema: Its columns.
        fields: The endpoint's fields.
        by_value: Whether the file's columns have no types of their own, so that each value is judged by itself.

    Raises:
        SourceError: Columns are missing, or of types that no value of the field can have.
    """
    missing = [field for field in fields if field.name not in schema]
    if missing:
        raise SourceError(
            f"{name} lacks {_columns(len(missing))} of the request",
            found=", ".join(schema) or "no columns",
            expected=", ".join(f"{field.name} ({expected(field)})" for field in missing),
        )
    wrong = [] if by_value else [field for field in fields if not _accepts(field.type, schema[field.name])]
    if wrong:
        raise SourceError(
            f"{name} has {_columns(len(wrong))} of the wrong type",
            found=", ".join(f"{field.name} as {schema[field.name]}" for field in wrong),
            expected=", ".join(f"{expected(field)} in {field.name}" for field in wrong),
        )


def typed(frame: pl.DataFrame, fields: Sequence[RequestField]) -> tuple[pl.DataFrame, list[Misfit]]:
    """Brings a batch's columns to the fields' types.

    A float that is a whole number is an int where one is wanted, and NaN is null, for that is how files say so. Texts
    of times and dates are read as the endpoint reads them.

    Args:
        frame: Rows whose columns :func:`check_columns` accepted.
        fields: The columns to take, in order.

    Returns:
        The fields alone, null where a value can't be taken, and the rows where that is so.
    """
    columns = [frame.get_column(field.name) for field in fields]
    made = [_column(column, field.type) for column, field in zip(columns, fields, strict=True)]
    return _judged(fields, made, columns)


def decoded(rows: Sequence[Mapping[str, Any]], fields: Sequence[RequestField]) -> tuple[pl.DataFrame, list[Misfit]]:
    """Brings JSON objects to the fields' types, as strictly as the endpoint; returns as :func:`typed`."""
    values = [[row.get(field.name) for row in rows] for field in fields]
    made = [_members(column, field) for column, field in zip(values, fields, strict=True)]
    return _judged(fields, made, values)


def moments(column: pl.Series) -> pl.Series:
    """Moments as UTC microseconds; a date is its midnight, no zone means UTC, and null is no moment.

    Text is read as the endpoint reads ``at``.
    """
    if column.dtype == pl.String:
        return _read(column, _moment)
    return _timed(column)


def _judged(
    fields: Sequence[RequestField], made: Sequence[pl.Series], found: Sequence[Sequence[Any] | pl.Series]
) -> tuple[pl.DataFrame, list[Misfit]]:
    misfits: list[Misfit] = []
    for field, column, values in zip(fields, made, found, strict=True):
        if not column.null_count():
            continue
        rows = column.is_null()
        if field.nullable:
            rows &= ~_nothing(values)
        if rows.any():
            misfits.append(Misfit(field, rows, values))
    frame = pl.DataFrame([column.alias(field.name) for field, column in zip(fields, made, strict=True)])
    return frame, misfits


def _nothing(values: Sequence[Any] | pl.Series) -> pl.Series:
    """Where there was no value in the first place."""
    if not isinstance(values, pl.Series):
        return pl.Series([value is None for value in values], dtype=pl.Boolean)
    return values.is_null() | values.is_nan() if values.dtype.is_float() else values.is_null()


def _accepts(kind: FieldType, dtype: pl.DataType) -> bool:
    if dtype == pl.Null:
        return True
    if kind == "string":
        return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
    if kind in {"int", "float"}:
        return dtype.is_numeric()
    if kind == "bool":
        return dtype == pl.Boolean
    return dtype == pl.String or isinstance(dtype, pl.Datetime if kind == "time" else pl.Date)


def _column(column: pl.Series, kind: FieldType) -> pl.Series:
    dtype = column.dtype
    if kind == "time":
        return _read(column, _time) if dtype == pl.String else _timed(column)
    if kind == "date" and dtype == pl.String:
        return _read(column, _date)
    frame, _ = cast(column.to_frame(), {column.name: TYPES[kind]})
    made = frame.to_series()
    # JSON has no infinity, so that no endpoint was ever asked with one.
    return made.set(made.is_infinite(), None) if kind == "float" and made.is_infinite().any() else made


def _timed(column: pl.Series) -> pl.Series:
    frame, _ = cast(column.to_frame(), {column.name: _MOMENT})
    return frame.to_series()


def _members(values: Sequence[Any], field: RequestField) -> pl.Series:
    kind = field.type
    if kind in {"time", "date"}:
        texts = pl.Series(field.name, [value if type(value) is str else None for value in values], dtype=pl.String)
        return _read(texts, _time if kind == "time" else _date)
    kinds = {"string": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}[kind]
    fit = [value if type(value) in kinds else None for value in values]
    if kind == "int":
        fit = [value if value is None or value in _INT64 else None for value in fit]
    if kind == "float":
        fit = [None if value is None else float(value) for value in fit]
    return pl.Series(field.name, fit, dtype=TYPES[kind])


def _read(column: pl.Series, read: Callable[[str], datetime | date | None]) -> pl.Series:
    """Texts as times or dates; each different text is read once."""
    texts = column.unique().drop_nulls().to_list()
    known = {text: read(text) for text in texts}
    found = [None if text is None else known[text] for text in column.to_list()]
    return pl.Series(column.name, found, dtype=pl.Date() if read is _date else _MOMENT)


def _time(text: str) -> datetime | None:
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(text: str) -> date | None:
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime_of(micros_of(text))
    except (UsageError, OverflowError):
        return None


def _columns(count: int) -> str:
    return "a column" if count == 1 else f"{count} columns"
