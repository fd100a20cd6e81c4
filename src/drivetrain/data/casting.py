"""Values to the type a column was declared with, where nothing is lost; the rest are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from drivetrain.data.breach import Breach
from drivetrain.data.column import DTYPES

_WORDS = {
    pl.String: "text",
    pl.Int64: "a whole number",
    pl.Float64: "a number",
    pl.Boolean: "true or false",
    pl.Datetime: "a moment such as 2013-07-01T09:30:00Z",
    pl.Date: "a date such as 2013-07-01",
}
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_LOOK = 1_000
"""Values among which the first that is there says how moments are spelled."""
_FOUR_DIGITS = 1000
_PLAIN_MOMENTS = (
    ("%Y-%m-%dT%H:%M:%SZ", True),
    ("%Y-%m-%dT%H:%M:%S", False),
    ("%Y-%m-%d %H:%M:%S", False),
    ("%Y-%m-%d", False),
    ("%+", True),
)
_SHORT_ZONED = "%Y-%m-%dT%H:%M%#z"
_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


def cast(frame: pl.DataFrame, wanted: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, list[Breach]]:
    """Brings columns to the types a table keeps.

    Args:
        frame: Rows as read.
        wanted: Column → type it must have; columns not named get the nearest type a table can hold. Moments become
            UTC microseconds; one without a zone is taken as UTC. NaN becomes null.

    Returns:
        The rows, with null where a value could not be converted, and a breach for each column that has such values.
    """
    kept: list[pl.Series] = []
    breaches: list[Breach] = []
    for column in frame.iter_columns():
        target = wanted.get(column.name, storable(column.dtype))
        made, failed = (_from_texts if column.dtype == pl.String != target else _from_values)(column, target)
        if failed is not None:
            breaches.append(Breach(column.name, _expected(target), failed, column))
        kept.append(made)
    return pl.DataFrame(kept), breaches


def storable(dtype: pl.DataType) -> pl.DataType:
    """The nearest type that a table can hold and every later batch can be brought to."""
    if dtype.is_integer() or isinstance(dtype, pl.Duration):
        return DTYPES["int"]
    if dtype.is_float() or isinstance(dtype, pl.Decimal):
        return DTYPES["float"]
    if isinstance(dtype, pl.Datetime):
        return DTYPES["time"]
    if isinstance(dtype, pl.Boolean | pl.Date | pl.Binary | pl.List | pl.Struct):
        return dtype
    return DTYPES["string"]


def _from_values(column: pl.Series, target: pl.DataType) -> tuple[pl.Series, pl.Series | None]:
    """A column brought to its type, and where that failed, if anywhere."""
    made = _converted(column, target)
    if column.dtype == pl.String:
        made = _of_four_digits(made, column)
    if made.null_count() == column.null_count() and not column.dtype.is_float():
        return made, None
    failed = made.is_null() & ~_missing(column, target)
    return made, failed if failed.any() else None


def _from_texts(column: pl.Series, target: pl.DataType) -> tuple[pl.Series, pl.Series | None]:
    """As :func:`_from_values`, of text: the plainest spelling is read at once, the rest with all patience."""
    made = _plainly(column, target)
    if made is None:
        return _from_values(column, target)
    made = _of_four_digits(made, column)
    left = made.is_null() & column.is_not_null()
    if not left.any():
        return made, None
    rest, wrong = _from_values(column.filter(left), target)
    places = left.arg_true()
    made = made.scatter(places, rest)
    if wrong is None:
        return made, None
    failed = pl.repeat(value=False, n=len(column), eager=True).scatter(places, wrong)
    return made, failed.alias(column.name)


def _plainly(column: pl.Series, target: pl.DataType) -> pl.Series | None:
    """A column as most texts are read, null where that fails; none where nothing says how."""
    if target in (pl.Int64, pl.Float64):
        # Of a series: an expression would read the text once more to look for NaN.
        made = column.cast(target, strict=False)
        return made.fill_nan(None) if target == pl.Float64 else made
    plain = _plainest(column, target)
    return None if plain is None else column.to_frame().select(plain.alias(column.name)).to_series()


def _of_four_digits(made: pl.Series, column: pl.Series) -> pl.Series:
    """Moments and dates without those of a year with fewer digits: 13-07-01 is no day of the year 13."""
    if not made.dtype.is_temporal():
        return made
    first = pl.Series([date(_FOUR_DIGITS, 1, 1)]).cast(made.dtype)
    early = made.to_physical() < first.to_physical().item()
    if not early.any():
        return made
    short = early & ~column.str.contains(r"^\s*\d{4}")
    return made.to_frame().select(pl.when(~short).then(pl.col(made.name))).to_series()


def _plainest(column: pl.Series, target: pl.DataType) -> pl.Expr | None:
    """How most texts of a column are read, going by the first; none where that says nothing."""
    value = pl.col(column.name)
    if target == pl.Boolean:
        return pl.when(value == "true").then(True).when(value == "false").then(False)  # noqa: FBT003
    if target == pl.Date:
        return value.str.to_date("%Y-%m-%d", strict=False)
    first = column.head(_LOOK).drop_nulls().head(1)
    if not isinstance(target, pl.Datetime) or not len(first):
        return None
    for form, zoned in _PLAIN_MOMENTS:
        read = value.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC" if zoned else None)
        made = read if zoned else read.dt.replace_time_zone("UTC")
        if first.to_frame().select(made).to_series().null_count() == 0:
            return made
    return None


def _missing(column: pl.Series, target: pl.DataType) -> pl.Series:
    """Where there is no value to convert: null, NaN, and in text a field of blanks where no text is wanted."""
    if column.dtype.is_float():
        return column.is_null() | column.is_nan()
    if column.dtype == pl.String and target != pl.String:
        nothing = ["", "nan"] if target == pl.Float64 else [""]
        return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(nothing)
    return column.is_null()


def _expected(target: pl.DataType) -> str:
    return _WORDS.get(target.base_type(), str(target))


def _converted(column: pl.Series, target: pl.DataType) -> pl.Series:
    value = pl.col(column.name)
    source = column.dtype
    if source == pl.Null:
        return pl.Series(column.name, [None] * len(column), dtype=target)
    if source == target and not source.is_float():
        return column
    if source.is_float():
        value = value.fill_nan(None)
    value = _conversion(value, source, target)
    return column.to_frame().select(value.alias(column.name)).to_series()


def _conversion(value: pl.Expr, source: pl.DataType, target: pl.DataType) -> pl.Expr:
    if source == target:
        return value
    if isinstance(source, pl.Categorical | pl.Enum):
        value, source = value.cast(pl.String), DTYPES["string"]
        if target == source:
            return value
    if source == pl.String:
        return _from_text(value.str.strip_chars(), target)
    convert = _TO.get(target.base_type())
    made = convert(value, source) if convert else value.cast(target, strict=False)
    return pl.lit(None, dtype=target) if made is None else made


def _to_int(value: pl.Expr, source: pl.DataType) -> pl.Expr | None:
    if source.is_float() or isinstance(source, pl.Decimal):
        return pl.when(value == value.round(0)).then(value.cast(pl.Int64, strict=False))
    if isinstance(source, pl.Duration):
        return value.dt.total_microseconds()
    return value.cast(pl.Int64, strict=False) if source.is_integer() or source == pl.Boolean else None


def _to_float(value: pl.Expr, source: pl.DataType) -> pl.Expr | None:
    return value.cast(pl.Float64, strict=False) if source.is_numeric() or source == pl.Boolean else None


def _to_bool(value: pl.Expr, source: pl.DataType) -> pl.Expr | None:
    return pl.when(value.is_in([0, 1])).then(value.cast(pl.Boolean)) if source.is_numeric() else None


def _to_date(value: pl.Expr, source: pl.DataType) -> pl.Expr | None:
    return pl.when(value.dt.truncate("1d") == value).then(value.dt.date()) if isinstance(source, pl.Datetime) else None


def _to_moment(value: pl.Expr, source: pl.DataType) -> pl.Expr | None:
    if isinstance(source, pl.Date):
        return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if not isinstance(source, pl.Datetime):
        return None
    moment = value.dt.cast_time_unit("us")
    return moment.dt.convert_time_zone("UTC") if source.time_zone else moment.dt.replace_time_zone("UTC")


_TO: dict[type[pl.DataType], Callable[[pl.Expr, pl.DataType], pl.Expr | None]] = {
    pl.Int64: _to_int,
    pl.Float64: _to_float,
    pl.Boolean: _to_bool,
    pl.Date: _to_date,
    pl.Datetime: _to_moment,
}
"""Target → the conversion, or none where no value of that kind can be one."""


def _from_text(value: pl.Expr, target: pl.DataType) -> pl.Expr:
    if isinstance(target, pl.Datetime):
        iso = value.str.replace(" ", "T", literal=True)
        zoned = [
            iso.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC") for form in ("%+", _SHORT_ZONED)
        ]
        naive = [
            iso.str.to_datetime(form, strict=False, time_unit="us").dt.replace_time_zone("UTC") for form in _MOMENTS
        ]
        return pl.coalesce(*zoned, *naive)
    if isinstance(target, pl.Date):
        return value.str.to_date("%Y-%m-%d", strict=False)
    if target == pl.Boolean:
        low = value.str.to_lowercase()
        return pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False)  # noqa: FBT003
    made = value.cast(target, strict=False)
    return made.fill_nan(None) if target == pl.Float64 else made
