"""A pushed row that most are like, read by a function written for its view.

As in :mod:`.plain`: what Python does for every column (a loop, a look at what is asked of it, a dictionary) costs more
than what is done with its value. So each view gets a function in which its columns stand one after the other, each with
a look at the type that it is expected to have. What is not as most are goes the long way, alone or with its row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from drivetrain.core.clock import Micros, micros_of
from drivetrain.data.column import Column
from drivetrain.features.moments import LARGEST
from drivetrain.features.online.identity import identity_of
from drivetrain.features.online.layout import key_of, key_of_one
from drivetrain.features.online.pending import Value

Row: TypeAlias = Mapping[str, object]
Arrived: TypeAlias = tuple[bytes | None, Micros, Micros, int, list[Value]]
"""The key of a row's entity (none if a part of it is null), time, availability, identity and values."""
LONGEST = 1 << 63
FIRST, LAST = micros_of(datetime.min.replace(tzinfo=UTC)), micros_of(datetime.max.replace(tzinfo=UTC))
_TYPES = {"string": "str", "int": "int", "float": "float", "bool": "bool"}


@dataclass(frozen=True)
class Wants:
    """What a view reads of a row, and how.

    Attributes:
        keys: Columns that hold the entity's key.
        names: What the entity calls them.
        identity: Columns that hold the source's key.
        inputs: For each stored input its column, and whether its values are told apart.
        looked_at: Columns that need not be sent and are checked where they are.
        time: Column of the event time, if there is one.
        known: Column of the availability, if that is another.
        delay: Microseconds from there until a row is known.
        columns: What is known of columns.
        adds_up: Columns that can't be text.
    """

    keys: tuple[str, ...]
    names: tuple[str, ...]
    identity: tuple[str, ...]
    inputs: tuple[tuple[str, bool], ...]
    looked_at: tuple[str, ...]
    time: str | None
    known: str | None
    delay: Micros
    columns: Mapping[str, Column]
    adds_up: frozenset[str]


def ordinary_reader(
    wants: Wants, value: Callable[[Row, str], object], moment: Callable[[Row, str], Micros]
) -> Callable[[Row], Arrived | None]:
    """The function of one view.

    Args:
        wants: What it reads.
        value: Any value of a row, checked; it raises for those that can't be taken.
        moment: Any moment of a row, likewise.

    Returns:
        A function that reads a row, raises what these raise, and says nothing of one that it leaves to others.
    """
    made: dict[str, Any] = {"value": value, "moment": moment, "names": wants.names}
    made |= {"kept": kept, "identity_of": identity_of, "key_of": key_of, "key_of_one": key_of_one}
    columns = tuple(dict.fromkeys([*wants.keys, *wants.identity, *(name for name, _ in wants.inputs)]))
    lines = [line for at, name in enumerate(columns) for line in _column(wants, at, name, made)]
    for at, name in enumerate(wants.looked_at):
        usual = _usual(wants, f"seen{at}", name, made)
        lines += [f"if {name!r} in row:", f"    seen{at} = row[{name!r}]"]
        lines += [f"    if not ({usual}):", f"        value(row, {name!r})"]
    lines += _moments(wants)
    if len(wants.keys) != 1:
        lines.append(f"key = key_of([{', '.join(f'v{columns.index(name)}' for name in wants.keys)}], names)")
    if len(wants.identity) != 1:
        parts = ", ".join(f"v{columns.index(name)}" for name in wants.identity)
        lines.append(f"identity = identity_of([{parts}])")
    values = ", ".join(f"kept{at}" for at in range(len(wants.inputs)))
    lines.append(f"return key, time, known, identity, [{values}]")
    code = "\n    ".join(["def read(row):", "get = row.get", *lines])
    exec(code, made)  # noqa: S102 - names made here, and columns of a view as quoted text; nothing of a row
    read: Callable[[Row], Arrived | None] = made["read"]
    return read


def kept(value: object, *, told_apart: bool) -> Value:
    """A value as an input keeps it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return value if told_apart else float(value)
    if isinstance(value, int | float):
        return float(value) if abs(value) < LARGEST else math.nan
    if isinstance(value, str) and told_apart:
        return value
    return 1.0


def _column(wants: Wants, at: int, name: str, made: dict[str, Any]) -> list[str]:
    """Reads one column for everything that it is needed for."""
    known = wants.columns.get(name)
    kind = None if known is None else _TYPES.get(known.type, known.type)
    usually, else_ = [], [f"v{at} = value(row, {name!r})"]
    for place, (column, told_apart) in enumerate(wants.inputs):
        if column == name:
            usually.append(f"kept{place} = {_kept(f'v{at}', kind, told_apart=told_apart)}")
            else_.append(f"kept{place} = kept(v{at}, told_apart={told_apart})")
    if wants.keys == (name,):
        usually.append(f"key = key_of_one(v{at})" if kind in ("str", "int", None) else f"key = key_of([v{at}], names)")
        else_.append(f"key = key_of([v{at}], names)")
    if wants.identity == (name,):
        usually.append(f"identity = v{at} if type(v{at}) is int else identity_of([v{at}])")
    if name in wants.identity:
        else_ = ["return None"]  # whether it can be a key at all is asked elsewhere
    usual = _usual(wants, f"v{at}", name, made)
    lines = [f"v{at} = get({name!r})", f"if {usual}:", *(f"    {line}" for line in usually or ["pass"])]
    return [*lines, "else:", *(f"    {line}" for line in else_)]


def _usual(wants: Wants, variable: str, name: str, made: dict[str, Any]) -> str:
    """What holds of a column's values that need no more than a look, and of no others."""
    column = wants.columns.get(name)
    whole = f"type({variable}) is int and {-LONGEST} <= {variable} < {LONGEST}"
    if column is None:
        return whole if name in wants.adds_up else f"{whole} or type({variable}) is str"
    bounds = [bound for bound in (column.low, column.high) if bound is not None]
    if column.type not in _TYPES or column.pattern is not None or any(isinstance(bound, str) for bound in bounds):
        return "False"
    checks = [f"type({variable}) is {_TYPES[column.type]}"]
    if column.type in ("int", "float"):
        checks.append(f"{-LONGEST} <= {variable} < {LONGEST}")
    for says, bound in ((">=", column.low), ("<=", column.high)):
        if bound is not None:
            made[f"bound{len(made)}"] = bound
            checks.append(f"{variable} {says} bound{len(made) - 1}")
    if column.among:
        made[f"among{len(made)}"] = column.among
        checks.append(f"{variable} in among{len(made) - 1}")
    return " and ".join(checks)


def _kept(variable: str, kind: str | None, *, told_apart: bool) -> str:
    """What :func:`kept` makes of a value of a type as most are."""
    if kind == "float" or (told_apart and kind in ("str", "bool")):
        return variable
    if kind in ("int", "bool"):
        return f"float({variable})"
    return "1.0" if kind == "str" else f"kept({variable}, told_apart={told_apart})"


def _moments(wants: Wants) -> list[str]:
    """Reads the event time, and when the row is known: never before it."""
    lines = ["time = 0"] if wants.time is None else _moment(wants, "time", wants.time)
    lines += ["known = time"] if wants.known is None else _moment(wants, "known", wants.known)
    if wants.delay:
        lines.append(f"known += {wants.delay}")
    return [*lines, "if known < time:", "    known = time"]


def _moment(wants: Wants, variable: str, name: str) -> list[str]:
    column = wants.columns.get(name)
    if column is not None and column.type == "date":
        return [f"{variable} = moment(row, {name!r})"]
    checks = f"type({variable}) is not int or not {FIRST} <= {variable} <= {LAST}"
    return [f"{variable} = get({name!r})", f"if {checks}:", f"    {variable} = moment(row, {name!r})"]
