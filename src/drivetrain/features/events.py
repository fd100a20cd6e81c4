"""A view's rows as vectors: entities, times and the values that aggregates are asked of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import FeatureError
from drivetrain.features.aggregate import Kind
from drivetrain.features.exact import Floats, Places
from drivetrain.features.moments import LARGEST
from drivetrain.features.view import SEQUENCE, FeatureView

_NEVER: Micros = np.iinfo(np.int64).max
_BATCH_BYTES = 24 << 20
_PART = 1 << 18
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
_FEATURES = "numbers, booleans or text"


def keys_of(frame: pl.DataFrame, columns: Sequence[str], names: Sequence[str], whose: str) -> pl.DataFrame:
    """Entity keys as text, 64-bit integers or booleans.

    Args:
        frame: Where they are.
        columns: The columns that hold them.
        names: What to call them.
        whose: What the frame is, for messages.

    Raises:
        FeatureError: A column is missing, or holds what can't be a key.
    """
    _check_columns(frame.columns, columns, whose)
    picked = [frame.get_column(column).alias(name) for column, name in zip(columns, names, strict=True)]
    return pl.DataFrame([_key(column, whose) for column in picked])


def moments_of(column: pl.Series, *, up: bool) -> pl.Series:
    """Moments as whole UTC microseconds; dates are their midnights, and times without a zone are UTC.

    Args:
        column: Dates or datetimes of any unit and zone, or microseconds as they are.
        up: Whether nanoseconds round up, as events do, or down, as requests do: neither way is the future seen.

    Raises:
        FeatureError: The column holds no times.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_unit == "ns":
            return (column.to_physical() + (999 if up else 0)) // 1_000
        return column.dt.cast_time_unit("us").to_physical()
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us")).to_physical()
    if dtype.is_integer() or dtype == pl.Null:
        return column.cast(pl.Int64)
    raise FeatureError(f"column {column.name!r} is no time", found=dtype, expected="a datetime or a date")


def parts_of(column: pl.Series) -> Iterator[tuple[slice, pl.Series]]:
    """A column part by part, for what needs no more at once: from the whole, each step would make as much again.

    Polars would also copy the chunks of a column into one piece first, and its allocator keeps the pages of both.

    Yields:
        Where the part lies, and the part; of an empty column, one empty part.
    """
    for start in range(0, max(len(column), 1), _PART):
        part = column.slice(start, _PART)
        yield slice(start, start + len(part)), part


class Times:
    """Keys, times and sequence of a view's rows, in the table's order, each column read when it is asked for.

    The rows are read a column at a time, so they must come in the same order every time: a table or a frame does, a
    join does not.

    Args:
        view: The view.
        rows: Rows of its table.

    Raises:
        FeatureError: The table lacks a column.
    """

    def __init__(self, view: FeatureView, rows: pl.LazyFrame) -> None:
        self._view = view
        self._rows = rows
        self._whose = f"the table of view {view.name!r}"
        present = rows.collect_schema().names()
        needed = [*view.key_columns, *view.event_time().meta.root_names(), *view.available_at().meta.root_names()]
        _check_columns(present, needed, self._whose)
        self._numbered = SEQUENCE in present

    def keys(self) -> pl.DataFrame:
        """Entity keys, as :func:`keys_of` gives them.

        Raises:
            FeatureError: A column holds what can't be a key.
        """
        names = self._view.key_columns
        frame = pl.DataFrame([self._column(pl.col(name).alias(name)) for name in dict.fromkeys(names)])
        return keys_of(frame, names, self._view.entity.keys, self._whose)

    def event(self) -> Places:
        """Event times, microseconds; of a row without, after all time.

        Raises:
            FeatureError: The column holds no times.
        """
        return _vector(self._column(self._view.event_time().alias("event time")), partial(moments_of, up=True))

    def available(self) -> Places:
        """When rows became known, microseconds; of a row that does not say, after all time.

        Raises:
            FeatureError: The column holds no times.
        """
        return _vector(self._column(self._view.available_at().alias("available")), partial(moments_of, up=True))

    def sequence(self) -> Places:
        """Order of ingestion."""
        sequence = pl.col(SEQUENCE) if self._numbered else pl.int_range(pl.len(), dtype=pl.Int64)
        return _vector(self._column(sequence.cast(pl.Int64).alias("sequence")), lambda part: part)

    def _column(self, expr: pl.Expr) -> pl.Series:
        # One at a time: what decoding needs beside a column is as large as the column.
        return self._rows.select(expr).collect().to_series()


def times_of(view: FeatureView, rows: pl.LazyFrame) -> tuple[pl.DataFrame, Places, Places, Places]:
    """Keys, event times, availability and sequence of a view's rows, as :class:`Times` reads them.

    A row without event time or availability is known never: both are put after all time.

    Raises:
        FeatureError: The table lacks a column.
    """
    times = Times(view, rows)
    keys, event, available = times.keys(), times.event(), times.available()
    never = (event == _NEVER) | (available == _NEVER)
    event[never] = available[never] = _NEVER
    return keys, event, available, times.sequence()


def inputs_of(
    view: FeatureView, rows: pl.LazyFrame, positions: Sequence[int]
) -> Iterator[tuple[int, pl.Series, pl.Series | None]]:
    """Values of inputs, in the table's order, a few columns in memory at a time.

    Yields:
        Position of the input, its values, and which rows its condition lets through; none if it has no condition.
        Values of the other rows are null.

    Raises:
        FeatureError: The table lacks a column, or an expression can't be computed.
    """
    schema = rows.collect_schema()
    for position in positions:
        given = view.inputs[position]
        used = [name for expr in (given.value, given.where) if expr is not None for name in expr.meta.root_names()]
        _check_columns(schema.names(), used, f"the table of view {view.name!r}")
    count = 0
    left = list(positions)
    while left:
        size = max(1, _BATCH_BYTES // (8 * count)) if count else 1
        some, left = left[:size], left[size:]
        frame = _select(view, rows, some)
        count = max(len(frame), 1)
        for position in some:
            members = f"{position} where"
            yield (
                position,
                frame.get_column(str(position)),
                frame.get_column(members) if members in frame.columns else None,
            )
        # Before the next are read, or there would be twice as many.
        del frame


def numbers(values: pl.Series) -> Floats:
    """Values as float64 with NaN for everything that counts for nothing; 1 for each value that is no number."""
    if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)):
        return np.where(values.is_null().to_numpy(), np.nan, 1.0)
    floats = values.cast(pl.Float64).to_numpy()
    counted = np.abs(floats) < LARGEST
    return floats if counted.all() else np.where(counted, floats, np.nan)


def check_type(dtype: pl.DataType, kind: Kind, feature: str) -> None:
    """Checks that an aggregate can be made of values of a type.

    Raises:
        FeatureError: It can't.
    """
    if kind in ("count", "last", "since") or (kind in ("distinct", "top") and dtype in _TEXTS):
        return
    if dtype in (pl.Boolean, pl.Null) or (kind != "share" and dtype.is_numeric()):
        return
    wanted = {"share": "booleans", "distinct": _FEATURES, "top": _FEATURES}.get(kind, "numbers")
    raise FeatureError(f"feature {feature!r} can't be the {kind} of these values", found=dtype, expected=wanted)


def feature_dtype(dtype: pl.DataType, feature: str) -> pl.DataType:
    """The type a looked-up value has as a feature: number, boolean or text.

    Raises:
        FeatureError: It is none of these.
    """
    if dtype == pl.Boolean:
        return pl.Boolean()
    if dtype.is_numeric() or dtype == pl.Null:
        return pl.Float64()
    if dtype in _TEXTS:
        return pl.String()
    raise FeatureError(f"feature {feature!r} looks up values a model can't read", found=dtype, expected=_FEATURES)


def _select(view: FeatureView, rows: pl.LazyFrame, positions: Sequence[int]) -> pl.DataFrame:
    columns = []
    for position in positions:
        given = view.inputs[position]
        value = pl.lit(1.0) if given.value is None else given.value
        if given.where is not None:
            value = pl.when(given.where).then(value)
            columns.append(given.where.fill_null(value=False).alias(f"{position} where"))
        columns.append(value.alias(str(position)))
    # A literal alone would be one row; the row number keeps the table's height.
    literal = not any(column.meta.root_names() for column in columns)
    try:
        if literal:
            return rows.with_row_index("\0row").select("\0row", *columns).drop("\0row").collect()
        return rows.select(columns).collect()
    except pl.exceptions.PolarsError as error:
        raise FeatureError(f"view {view.name!r} can't be computed: {str(error).splitlines()[0]}") from error


def _vector(column: pl.Series, convert: Callable[[pl.Series], pl.Series]) -> Places:
    """The whole numbers that a column stands for; after all others where it says nothing."""
    made = np.empty(len(column), dtype=np.int64)
    for place, part in parts_of(column):
        made[place] = convert(part).fill_null(_NEVER).to_numpy()
    return made


def _key(column: pl.Series, whose: str) -> pl.Series:
    dtype = column.dtype
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        return column.cast(pl.String)
    if dtype.is_integer():
        return column.cast(pl.Int64)
    if dtype in (pl.String, pl.Boolean):
        return column
    raise FeatureError(
        f"{whose} has a key column {column.name!r} that can't tell entities apart",
        found=dtype,
        expected="text, integers or booleans",
    )


def _check_columns(present: Sequence[str], needed: Sequence[str], whose: str) -> None:
    missing = sorted(set(needed) - set(present))
    if missing:
        raise FeatureError(f"{whose} lacks columns", found=sorted(present), expected=missing, do="Check their names")
