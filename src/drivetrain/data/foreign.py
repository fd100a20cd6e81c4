"""Schemas of other libraries as contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from drivetrain.core import plugins
from drivetrain.core.errors import ProjectError
from drivetrain.data.casting import storable
from drivetrain.data.column import DTYPES, Column, TypeName

_LIBRARIES = ("pandera", "dataframely")


def described(schema: object) -> Mapping[str, Any]:
    """What a schema says, as the adapter of its library reads it.

    Raises:
        ProjectError: It is of no library that is known, or has rules that nothing here says.
        MissingExtra: The library is not installed.
    """
    kind = schema if isinstance(schema, type) else type(schema)
    homes = {base.__module__.partition(".")[0] for base in kind.__mro__}
    library = next((name for name in _LIBRARIES if name in homes), None)
    if library is None:
        raise ProjectError(
            "a contract can't be made of that",
            found=repr(schema),
            expected=f"a schema of {' or '.join(_LIBRARIES)}",
        )
    found: Mapping[str, Any] = plugins.load("describe", library)(schema)
    if found["unsaid"]:
        raise ProjectError(
            f"the {library} schema has rules that a contract can't say",
            found="; ".join(found["unsaid"]),
            do="Take them out of the schema, and write them as checks: dt.Contract(checks={…})",
        )
    return found


def columns_of(described: Mapping[str, Any]) -> dict[str, Column]:
    """The columns of a schema."""
    return {name: _column(name, **rules) for name, rules in described["columns"].items()}


def type_of(dtype: pl.DataType) -> TypeName | None:
    """What a column of a Polars type is called in a contract; none where none holds it."""
    kept = storable(dtype)
    return next((name for name, known in DTYPES.items() if known == kept), None)


def _column(name: str, *, dtype: pl.DataType, low: Any = None, high: Any = None, **rules: Any) -> Column:  # noqa: ANN401
    kind = type_of(dtype)
    if kind is None:
        raise ProjectError(f"column {name!r} has a type that no contract holds", found=str(dtype))
    textual = kind in ("time", "date")
    bounds = {
        word: value.isoformat() if textual and hasattr(value, "isoformat") else value
        for word, value in (("low", low), ("high", high))
    }
    return Column(kind, **bounds, **rules)
