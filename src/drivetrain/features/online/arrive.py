"""Pushed rows as events of a view: typed, checked as far as one row alone can be, its values computed.

What costs nothing is done in plain Python, for one row takes Polars longer than everything else: columns as they are.
Row expressions are computed by Polars over all the rows of a push at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import cast

import polars as pl

from drivetrain.core.clock import DAY, Micros, datetime_of, micros_of
from drivetrain.core.errors import DrivetrainError, ProjectError, RequestError
from drivetrain.data.column import DTYPES, Column
from drivetrain.data.source import Source
from drivetrain.data.treatment import Keys
from drivetrain.features.aggregate import Kind
from drivetrain.features.events import check_type, feature_dtype, inputs_of, numbers
from drivetrain.features.expression import expression_digest
from drivetrain.features.online.identity import identity_of
from drivetrain.features.online.layout import Layout, key_of
from drivetrain.features.online.ordinary import FIRST, LAST, LONGEST, Arrived, Row, Wants, kept, ordinary_reader
from drivetrain.features.online.pending import Value
from drivetrain.features.online.treating import EventTreating
from drivetrain.features.view import FeatureView

TOLD_APART: frozenset[Kind] = frozenset({"last", "top", "distinct"})
"""Kinds that need a value itself, be it a text or a truth; to the others it is a number, or there."""
_ANY: frozenset[Kind] = TOLD_APART | {"count", "since"}


class Arrivals:
    """Reads pushed rows of a view.

    Args:
        view: The view.
        source: Where its table's rows come from; its contract says what a row must be.
        types: Types of the table's columns, for those that the contract does not declare.
        keys: Keys that the source's columns are treated with.

    Raises:
        ProjectError: The view takes its moments from a column that is treated.
    """

    def __init__(
        self,
        view: FeatureView,
        source: Source,
        types: Mapping[str, pl.DataType] | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._types = {**(types or {}), **{name: column.dtype for name, column in source.contract.columns.items()}}
        self._view = view
        self._layout = Layout(view)
        self._source = source
        self._declared = source.contract.columns
        self._columns = {**_kept_as(self._types), **self._declared}
        self._checks = source.contract.checks
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
        needed = {*view.key_columns, *source.key, *self._plain.values(), *roots}
        treating = EventTreating(needed, source, keys)
        self._treating = treating if treating.columns else None
        self._treated_types = {**self._types, **treating.types}
        for name in filter(None, (self._time, self._known)):
            if name in self._declared and self._declared[name].treat is not None:
                raise ProjectError(f"view {view.name!r} takes moments from {name!r}, which {source.name!r} treats")
        self._read = tuple(sorted({*needed, *treating.reads}))
        used = {name for check in self._checks.values() for name in check.meta.root_names()}
        bare = {name for name in (self._time, self._known) if name and not _has_rules(self._columns.get(name))}
        self._looked_at = tuple(sorted({*self._declared, *used} - {*self._read} - (bare - used)))
        self._bare = {
            name: _TYPES[column.type]
            for name, column in self._columns.items()
            if column.type in _TYPES and not _has_rules(column)
        }
        self._adds_up = frozenset(
            name
            for position, name in self._plain.items()
            if any(feature.kind not in _ANY for feature in view.columns if feature.input == position)
        )
        self._ordinary = (
            None
            if self._checks or self._computed or self._treating
            else ordinary_reader(self._wants, self._value, self._moment)
        )

    @property
    def _wants(self) -> Wants:
        return Wants(
            keys=self._view.key_columns,
            names=self._view.entity.keys,
            identity=tuple(self._source.key),
            inputs=tuple((self._plain[at], at in self._told_apart) for at in self._layout.stored),
            looked_at=self._looked_at,
            time=self._time,
            known=None if self._known == self._time else self._known,
            delay=self._delay,
            columns=self._columns,
            adds_up=self._adds_up,
        )

    def read(self, rows: Sequence[Row]) -> list[Arrived]:
        """Rows as the key of their entity (none if a part of it is null), time, availability, identity and values.

        Raises:
            RequestError: A row is not what the source's contract and the view expect; it names row and column.
        """
        if self._ordinary is not None:
            try:
                arrived = [self._ordinary(row) for row in rows]
                if None not in arrived:
                    return cast("list[Arrived]", arrived)
            except DrivetrainError:  # found again below, where it is said of which row
                pass
        typed = []
        for number, row in enumerate(rows):
            try:
                read = {name: self._value(row, name) for name in self._read}
                for name in self._looked_at:  # need not be sent, as no feature reads it; but its source would check it
                    if name in row:
                        read[name] = self._value(row, name)
                typed.append(read)
            except DrivetrainError as error:
                raise _of_row(error, number, self._view.name) from error
        for says, expression in self._checks.items():
            self._check(says, expression, typed)
        if self._treating is not None:
            typed = self._treating.treated(typed)
        computed = self._compute(typed) if self._computed else {}
        return [
            self._arrived(row, values, {at: column[number] for at, column in computed.items()}, number)
            for number, (row, values) in enumerate(zip(rows, typed, strict=True))
        ]

    def _arrived(self, row: Row, typed: Mapping[str, object], computed: Mapping[int, Value], number: int) -> Arrived:
        view = self._view
        try:
            time = 0 if self._time is None else self._moment(row, self._time)
            later = None if self._known == self._time else self._known
            known = time if later is None else self._moment(row, later)
            key = key_of([typed[name] for name in view.key_columns], view.entity.keys)
            named = [typed[name] for name in self._source.key]
            if None in named:
                raise RequestError("its key is null", found=dict(zip(self._source.key, named, strict=True)))
            for name, part in zip(self._source.key, named, strict=True):
                if isinstance(part, list | dict):
                    raise RequestError(
                        f"{name!r} has the wrong type", field=name, found=repr(part), expected="one value: it is a key"
                    )
        except DrivetrainError as error:
            raise _of_row(error, number, view.name) from error
        plain, told = self._plain, self._told_apart
        values: list[Value] = [
            kept(typed[plain[at]], told_apart=at in told) if at in plain else computed[at] for at in self._layout.stored
        ]
        values += [computed[-1 - at] for at in self._layout.members]
        return key, time, max(time, known + self._delay), identity_of(named), values

    def _value(self, row: Row, name: str) -> object:
        value = row.get(name)
        bare = self._bare.get(name)
        if type(value) is bare and (bare is str or bare is bool or -LONGEST <= value < LONGEST):  # type: ignore[operator]
            return value
        column = self._columns.get(name)
        if value is None:
            if name not in row and (name not in self._declared or not self._declared[name].nullable):
                raise RequestError(
                    f"it lacks {name!r}", field=name, found=sorted(row), do="Send it, as null if it is not known"
                )
            if column is not None and not column.nullable:
                raise RequestError(f"{name!r} is null", field=name, expected=column.type)
            return None
        if type(value) is int and not -LONGEST <= value < LONGEST:
            raise RequestError(f"{name!r} is too large", field=name, found=f"{value.bit_length()} bits", expected="64")
        if column is not None:
            return _checked(value, name, column, declared=name in self._declared)
        if name in self._adds_up and type(value) is str:
            raise RequestError(f"{name!r} has the wrong type", field=name, found=repr(value), expected="a number")
        return value

    def _moment(self, row: Row, name: str) -> Micros:
        column = self._columns.get(name)
        if column is None or column.type != "date":
            return _moment(row, name)
        return micros_of(str(_checked(row.get(name), name, column, declared=True)))

    def _check(self, says: str, expression: pl.Expr, typed: Sequence[Mapping[str, object]]) -> None:
        """Refuses rows that break a check of the contract; one that says nothing of what is checked passes."""
        names = list(dict.fromkeys(expression.meta.root_names()))
        there = [number for number, row in enumerate(typed) if all(name in row for name in names)]
        if not there or not names:
            return
        frame = self._frame([typed[number] for number in there], names)
        try:
            broken = frame.select((~expression).fill_null(value=False)).to_series().arg_true()
        except pl.exceptions.PolarsError as error:
            raise RequestError(f"the check {says!r} can't be made of what was pushed: {error}") from error
        if len(broken):
            number = there[int(broken[0])]
            breach = RequestError(f"it breaks {says!r}", found={name: typed[number][name] for name in names})
            raise _of_row(breach, number, self._view.name)

    def _frame(
        self,
        rows: Sequence[Mapping[str, object]],
        names: Sequence[str],
        types: Mapping[str, pl.DataType] | None = None,
    ) -> pl.DataFrame:
        known = self._types if types is None else types
        picked = [{name: row[name] for name in names} for row in rows]
        try:
            return pl.DataFrame(picked, schema={name: known.get(name) for name in names}, infer_schema_length=None)
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise RequestError(f"events for view {self._view.name!r} have values of several types: {error}") from error

    def _compute(self, typed: Sequence[Mapping[str, object]]) -> dict[int, list[Value]]:
        """Values of the inputs that are expressions, by position, and whether conditions hold, by -1 - position."""
        made: dict[int, list[Value]] = {}
        frame = self._frame(typed, self._roots, self._treated_types)
        for position, series, members in inputs_of(self._view, frame.lazy(), self._computed):
            for feature in self._view.columns:
                if feature.input == position:
                    check_type(series.dtype, feature.kind, feature.name)
                    if feature.kind in TOLD_APART:
                        feature_dtype(series.dtype, feature.name)
            if position in self._told_apart:
                made[position] = [kept(value, told_apart=True) for value in series.to_list()]
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
    return source.available or source.time, source.delay  # the table's, whatever the view takes for its time


def _kept_as(types: Mapping[str, pl.DataType]) -> dict[str, Column]:
    """Columns of types that a table has, where a contract could have declared them."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    return {column: Column(names[dtype]) for column, dtype in types.items() if dtype in names}


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
    if type(value) is int and FIRST <= value <= LAST:
        return value
    if isinstance(value, str | date):
        try:
            return micros_of(value if isinstance(value, str | datetime) else value.isoformat())
        except DrivetrainError as error:
            raise RequestError(
                f"{name!r} is no moment", field=name, found=error.found, expected=error.expected
            ) from error
    raise RequestError(
        f"{name!r} is no moment", field=name, found=repr(value), expected="ISO 8601, such as 2013-07-01T09:30:00Z"
    )


_NUMBERS = (int, float)
_TYPES: dict[str, type] = {"string": str, "int": int, "float": float, "bool": bool}
"""What a value is that needs nothing but a look."""
_FITS: dict[str, Callable[[object], bool]] = {
    "string": lambda value: type(value) is str,
    "int": lambda value: type(value) is int or (type(value) is float and value.is_integer() and abs(value) < LONGEST),
    "float": lambda value: type(value) in _NUMBERS,
    "bool": lambda value: type(value) is bool,
    "time": lambda value: isinstance(value, str | int | date),
    "date": lambda value: isinstance(value, str | date),
}


def _checked(value: object, name: str, column: Column, *, declared: bool) -> object:
    """A value as the contract wants it; moments as aware datetimes, NaN as null.

    Args:
        value: What was pushed.
        name: In which column.
        column: What it must be.
        declared: Whether a contract says so, and not only the table.
    """
    if not _FITS[column.type](value):
        raise RequestError(f"{name!r} has the wrong type", field=name, found=f"{value!r}", expected=column.type)
    made: object = value
    if column.type == "float":
        made = number = float(value)  # type: ignore[arg-type]
        if math.isnan(number):
            if column.nullable:
                return None
            raise RequestError(f"{name!r} is null", field=name, found=number, expected=column.type)
        if declared and math.isinf(number):
            raise RequestError(f"{name!r} is infinite", field=name, found=number, expected="a finite number")
    elif column.type == "int":
        made = int(value)  # type: ignore[call-overload]
    elif column.type == "time":
        made = datetime_of(_moment({name: value}, name))
    elif column.type == "date":
        moment = _moment({name: value}, name)
        if moment % DAY:
            raise RequestError(f"{name!r} is no date", field=name, found=str(value), expected="such as 2013-07-01")
        made = datetime_of(moment).date()
    if _has_rules(column):
        _check_rules(made, name, column)
    return made


def _has_rules(column: Column | None) -> bool:
    return column is not None and (
        column.low is not None or column.high is not None or bool(column.among) or column.pattern is not None
    )


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
    if column.pattern is not None and not _like(column.pattern, str(value)):
        raise RequestError(
            f"{name!r} does not match its pattern", field=name, found=repr(value), expected=column.pattern
        )


def _like(pattern: str, text: str) -> bool:
    if "\n" in text:  # before the last of which Python's $ finds an end, unlike the one rows from the source pass
        return bool(pl.Series([text]).str.contains(pattern)[0])
    return re.search(pattern, text) is not None


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
