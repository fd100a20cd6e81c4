"""What a dataframely schema says, column by column."""

from __future__ import annotations

from typing import Any

import dataframely as dy
import polars as pl

_HELD = {"nullability", "inf", "nan", "primary_key", "unique"}
"""Rules that a contract's column says in its own way."""
_BOUNDS = {"min": "low", "max": "high"}


def describe(schema: type[dy.Schema]) -> dict[str, Any]:
    """Columns, key and checks of a schema.

    Args:
        schema: The class.

    Returns:
        ``columns``: name → rules of a contract's column; ``key``: the primary key; ``checks``: what it says → row
        expression; ``strict``: whether other columns are refused; ``unsaid``: rules that nothing of this says.
    """
    columns: dict[str, dict[str, Any]] = {}
    checks: dict[str, pl.Expr] = {}
    unsaid: list[str] = []
    for name, column in schema.columns().items():
        rules: dict[str, Any] = {"dtype": column.dtype, "nullable": column.nullable, "unique": column.unique}
        rules["description"] = getattr(column, "description", None) or ""
        if isinstance(column.dtype, pl.Enum):
            rules["among"] = tuple(column.dtype.categories.to_list())
        for rule, expression in column.validation_rules(pl.col(name)).items():
            if rule in _BOUNDS:
                rules[_BOUNDS[rule]] = getattr(column, rule)
            elif rule == "is_in" and all(isinstance(value, str | int) for value in column.is_in):  # type: ignore[attr-defined]
                rules["among"] = tuple(column.is_in)  # type: ignore[attr-defined]
            elif rule == "regex":
                rules["pattern"] = column.regex  # type: ignore[attr-defined]
            elif rule not in _HELD:
                checks[f"{name}: {rule}"] = expression
        columns[name] = rules
    for rule, made in schema._schema_validation_rules().items():  # noqa: SLF001 - rules are told nowhere else
        if type(made).__name__ == "Rule":
            checks[rule] = made.expr
        else:
            unsaid.append(f"{rule}, which looks at groups of rows")
    return {
        "columns": columns,
        "key": tuple(schema.primary_key()),
        "checks": checks,
        "strict": False,
        "unsaid": unsaid,
    }
