"""Pushed rows as events of a view: typed, checked as far as one row alone can be, its values computed.

What costs nothing is done in plain Python, for one row takes Polars longer than everything else: columns as they are.
Row expressions are computed by Polars over all the rows of a push at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import polars as pl

from drivetrain.core.clock import Micros, datetime_of, micros_of
from drivetrain.core.errors import DrivetrainError, RequestError
from drivetrain.data.column import Column
from drivetrain.data.source import Source
from drivetrain.features.aggregate import Kind
from drivetrain.features.events import check_type, feature_dtype, inputs_of, numbers
from drivetrain.features.expression import expression_digest
from drivetrain.features.moments import LARGEST
from drivetrain.features.online.identity import identity_of
from drivetrain.features.online.layout import Layout, key_of
from drivetrain.features.online.pending import Value
from drivetrain.features.view import FeatureView

Row = Mapping[str, object]
TOLD_APART: frozenset[Kind] = frozenset({"last", "top", "distinct"})
"""Kinds that need a value itself, be it a text or a truth; to the others it is a number, or there."""


class Arrivals:
    """Reads pushed rows of a view.

    Args:
        view: The view.
        source: Where its table's rows come from; its contract says what a row must be.
        types: Types of the table's columns, for those that the contract does not declare.
    """

    def __init__(self, view: FeatureView, source: Source, types: Mapping[str, pl.DataType] | None = None) -> None:
        self._types = {**(types or {}), **{name: column.dtype for name, column in source.contract.columns.items()}}
        self._view = view
        self._layout = Layout(view)
        self._source = source
        self._columns = source.contract.columns
        self._time = view.time or source.time
        self._known, self._delay = _availability(view, source)
        self._plain: dict[int, str] = {}
        self._computed: list[int] = []
        for position in self._layout.stored:
            given = view.inputs[position]
            name = _column_of(given.value)
            if given.where is None and name is not None:
                self._plain[position] = name
            else:
                self._computed.append(position)
        self._told_apart = frozenset(
            position
            for position in self._layout.stored
            if any(feature.kind in TOLD_APART for feature in view.columns if feature.input == position)
        )
        roots = {name for at in self._computed for name in _roots(view, at)}
        self._roots = sorted(roots)
        self._read = tuple(sorted({*view.key_columns, *source.key, *self._plain.values(), *roots}))

    def read(self, rows: Sequence[Row]) -> list[tuple[bytes | None, Micros, Micros, int, list[Value]]]:
        """Rows as the key of their entity (none if a part of it is null), time, availability, identity and values.

        Raises:
            RequestError: A row is not what the source's contract and the view expect; it names row and column.
        """
        typed = []
        for number, row in enumerate(rows):
            try:
                typed.append({name: self._value(row, name) for name in self._read})
            except DrivetrainError as error:
                raise _of_row(error, number, self._view.name) from error
        computed = self._compute(typed) if self._computed else {}
        return [
            self._arrived(row, values, {at: column[number] for at, column in computed.items()}, number)
            for number, (row, values) in enumerate(zip(rows, typed, strict=True))
        ]

    def _arrived(
        self, row: Row, typed: Mapping[str, object], computed: Mapping[int, Value], number: int
    ) -> tuple[bytes | None, Micros, Micros, int, list[Value]]:
        view = self._view
        try:
            time = 0 if self._time is None else _moment(row, self._time)
            known = time if self._known is None else _moment(row, self._known)
            key = key_of([typed[name] for name in view.key_columns], view.entity.keys)
            named = [typed[name] for name in self._source.key]
            if None in named:
                raise RequestError("its key is null", found=dict(zip(self._source.key, named, strict=True)))
        except DrivetrainError as error:
            raise _of_row(error, number, view.name) from error
        plain, told = self._plain, self._told_apart
        values: list[Value] = [
            _kept(typed[plain[at]], told_apart=at in told) if at in plain else computed[at]
            for at in self._layout.stored
        ]
        values += [computed[-1 - at] for at in self._layout.members]
        return key, time, max(time, known + self._delay), identity_of(named), values

    def _value(self, row: Row, name: str) -> object:
        value = row.get(name)
        column = self._columns.get(name)
        if value is None:
            if name not in row and (column is None or not column.nullable):
                raise RequestError(
                    f"it lacks {name!r}", field=name, found=sorted(row), do="Send it, as null if it is not known"
                )
            if column is not None and not column.nullable:
                raise RequestError(f"{name!r} is null", field=name, expected=column.type)
            return None
        return value if column is None else _checked(value, name, column)

    def _compute(self, typed: Sequence[Mapping[str, object]]) -> dict[int, list[Value]]:
        """Values of the inputs that are expressions, by position, and whether conditions hold, by -1 - position."""
        picked = [{name: row[name] for name in self._roots} for row in typed]
        made: dict[int, list[Value]] = {}
        try:
            frame = pl.DataFrame(
                picked, schema={name: self._types.get(name) for name in self._roots}, infer_schema_length=None
            )
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise RequestError(f"events for view {self._view.name!r} have values of several types: {error}") from error
        for position, series, members in inputs_of(self._view, frame.lazy(), self._computed):
            for feature in self._view.columns:
                if feature.input == position:
                    check_type(series.dtype, feature.kind, feature.name)
                    if feature.kind in TOLD_APART:
                        feature_dtype(series.dtype, feature.name)
            if position in self._told_apart:
                made[position] = [_kept(value, told_apart=True) for value in series.to_list()]
            else:
                made[position] = numbers(series).tolist()
            if position in self._layout.members and members is not None:
                made[-1 - position] = members.cast(pl.Float64).to_list()
        return made


def _availability(view: FeatureView, source: Source) -> tuple[str | None, Micros]:
    """The column that says when a row is known (none for its time), and how long after that it is."""
    if view.available is not None:
        return view.available, view.delay or 0
    if view.delay is not None:
        return None, view.delay
    return source.available, source.delay


def _column_of(expr: pl.Expr | None) -> str | None:
    """The column that an expression is; none if it is more than that."""
    names = [] if expr is None else expr.meta.root_names()
    if len(names) != 1 or expression_digest(expr) != expression_digest(pl.col(names[0])):
        return None
    return names[0]


def _roots(view: FeatureView, position: int) -> list[str]:
    given = view.inputs[position]
    return [name for expr in (given.value, given.where) if expr is not None for name in expr.meta.root_names()]


def _moment(row: Row, name: str) -> Micros:
    value = row.get(name)
    if type(value) is int:
        return value
    if isinstance(value, str | datetime):
        try:
            return micros_of(value)
        except DrivetrainError as error:
            raise RequestError(
                f"{name!r} is no moment", field=name, found=error.found, expected=error.expected
            ) from error
    raise RequestError(
        f"{name!r} is no moment", field=name, found=repr(value), expected="ISO 8601, such as 2013-07-01T09:30:00Z"
    )


def _kept(value: object, *, told_apart: bool) -> Value:
    if value is None:
        return None
    if isinstance(value, bool):
        return value if told_apart else float(value)
    if isinstance(value, int | float):
        number = float(value)
        return number if abs(number) < LARGEST else math.nan
    if isinstance(value, str) and told_apart:
        return value
    return 1.0


_NUMBERS = (int, float)
_FITS: dict[str, Callable[[object], bool]] = {
    "string": lambda value: type(value) is str,
    "int": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "float": lambda value: type(value) in _NUMBERS,
    "bool": lambda value: type(value) is bool,
    "time": lambda value: isinstance(value, str | int | datetime),
    "date": lambda value: isinstance(value, str | date),
}


def _checked(value: object, name: str, column: Column) -> object:
    """A value as the contract wants it; moments as aware datetimes, NaN as null."""
    if not _FITS[column.type](value):
        raise RequestError(f"{name!r} has the wrong type", field=name, found=f"{value!r}", expected=column.type)
    made: object = value
    if column.type == "float":
        number = float(value)  # type: ignore[arg-type]
        if math.isnan(number):
            return None
        made = number
    elif column.type == "int":
        made = int(value)  # type: ignore[call-overload]
    elif column.type == "time":
        made = datetime_of(_moment({name: value}, name))
    elif column.type == "date" and isinstance(value, str):
        made = datetime_of(_moment({name: value}, name)).date()
    if column.low is not None or column.high is not None or column.among or column.pattern is not None:
        _check_rules(made, name, column)
    return made


def _check_rules(value: object, name: str, column: Column) -> None:
    low, high = _bound(column.low, column), _bound(column.high, column)
    if low is not None and value < low:  # type: ignore[operator]
        raise RequestError(f"{name!r} is too small", field=name, found=value, expected=f"at least {column.low}")
    if high is not None and value > high:  # type: ignore[operator]
        raise RequestError(f"{name!r} is too large", field=name, found=value, expected=f"at most {column.high}")
    if column.among and value not in column.among:
        raise RequestError(
            f"{name!r} is none of its values", field=name, found=repr(value), expected=list(column.among)
        )
    if column.pattern is not None and not re.search(column.pattern, str(value)):
        raise RequestError(
            f"{name!r} does not match its pattern", field=name, found=repr(value), expected=column.pattern
        )


def _bound(bound: float | str | None, column: Column) -> object:
    if bound is None or column.type not in ("time", "date"):
        return bound
    moment = datetime_of(micros_of(bound if isinstance(bound, str) else int(bound)))
    return moment if column.type == "time" else moment.date()


def _of_row(error: DrivetrainError, number: int, view: str) -> RequestError:
    named = error.field if isinstance(error, RequestError) else None
    return RequestError(
        f"event {number} pushed to view {view!r} can't be taken: {error.what}",
        field=f"events[{number}]" + (f".{named}" if named else ""),
        found=error.found,
        expected=error.expected,
        do=error.do,
    )
