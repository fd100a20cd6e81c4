"""What a pandera schema of Polars frames says, column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandera.polars as pa
import polars as pl

_EXPRESSIONS: dict[str, Callable[[pl.Expr, Mapping[str, Any]], pl.Expr]] = {
    "greater_than": lambda value, told: value > told["min_value"],
    "less_than": lambda value, told: value < told["max_value"],
    "equal_to": lambda value, told: value == told["value"],
    "not_equal_to": lambda value, told: value != told["value"],
    "notin": lambda value, told: ~value.is_in(list(told["forbidden_values"])),
    "str_contains": lambda value, told: value.str.contains(told["pattern"]),
    "str_startswith": lambda value, told: value.str.starts_with(told["string"]),
    "str_endswith": lambda value, told: value.str.ends_with(told["string"]),
    "str_length": lambda value, told: _length(value.str.len_chars(), told),
}


def describe(schema: pa.DataFrameSchema | type[pa.DataFrameModel]) -> dict[str, Any]:
    """Columns, key and checks of a schema; see the dataframely adapter's for what is returned.

    Args:
        schema: A ``DataFrameSchema`` or a ``DataFrameModel``.
    """
    found = schema.to_schema() if isinstance(schema, type) else schema
    columns: dict[str, dict[str, Any]] = {}
    checks: dict[str, pl.Expr] = {}
    unsaid = [f"the check {check.name or check.error!r} of the whole frame" for check in found.checks]
    unsaid += [f"column {name!r} need not be there" for name, column in found.columns.items() if not column.required]
    for name, column in found.columns.items():
        if column.dtype is None:
            unsaid.append(f"column {name!r} has no type")
            continue
        rules: dict[str, Any] = {
            "dtype": pl.Series([], dtype=column.dtype.type).dtype,
            "nullable": column.nullable,
            "unique": column.unique,
            "description": column.description or "",
        }
        for check in column.checks:
            if not _held(rules, check.name, check.statistics or {}):
                if check.name in _EXPRESSIONS:
                    checks[f"{name}: {check.error or check.name}"] = _EXPRESSIONS[check.name](
                        pl.col(name), check.statistics
                    )
                else:
                    unsaid.append(f"the check {check.name!r} of column {name!r}")
        columns[name] = rules
    return {
        "columns": columns,
        "key": tuple(found.unique or ()),
        "checks": checks,
        "strict": bool(found.strict),
        "unsaid": unsaid,
    }


def _held(rules: dict[str, Any], check: str, told: Mapping[str, Any]) -> bool:
    """Whether a column of a contract says a check in its own way, as it is told then."""
    if check == "in_range" and told["include_min"] and told["include_max"]:
        _narrow(rules, told["min_value"], told["max_value"])
    elif check == "greater_than_or_equal_to":
        _narrow(rules, told["min_value"], None)
    elif check == "less_than_or_equal_to":
        _narrow(rules, None, told["max_value"])
    elif check == "isin" and "among" not in rules and all(isinstance(v, str | int) for v in told["allowed_values"]):
        rules["among"] = tuple(told["allowed_values"])
    elif check == "str_matches" and "pattern" not in rules:
        # pandera matches from the start of the text, a contract anywhere in it.
        pattern = told["pattern"]
        rules["pattern"] = pattern if pattern.startswith("^") else f"^(?:{pattern})"
    else:
        return False
    return True


def _narrow(rules: dict[str, Any], low: Any, high: Any) -> None:  # noqa: ANN401
    for word, value, tighter in (("low", low, max), ("high", high, min)):
        if value is not None:
            rules[word] = tighter(rules[word], value) if word in rules else value


def _length(length: pl.Expr, told: Mapping[str, Any]) -> pl.Expr:
    if told.get("exact_value") is not None:
        return length.eq(told["exact_value"])
    parts = [length >= told["min_value"]] if told.get("min_value") is not None else []
    parts += [length <= told["max_value"]] if told.get("max_value") is not None else []
    return pl.all_horizontal(parts)
