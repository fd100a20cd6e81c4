"""Row expressions: Polars expressions whose value in a row depends on that row alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest

Expression: TypeAlias = "str | pl.Expr"
"""A column's name, or a Polars expression over the columns of one row."""


def expression(value: Expression) -> pl.Expr:
    """The Polars expression of a column's name; an expression as it is."""
    return pl.col(value) if isinstance(value, str) else value


def check_row_wise(expr: pl.Expr, where: str) -> None:
    """Refuses an expression that looks beyond its row, or whose meaning can't be read.

    Such an expression has one value in a training set and another online, where the other rows are not there.

    Args:
        expr: What to check, inner expressions included.
        where: What uses it, for the message.

    Raises:
        ProjectError: It aggregates, shifts, or calls Python.
    """
    if "AnonymousFunction" in _serialized(expr):
        raise ProjectError(
            f"{where} calls a Python function",
            found=str(expr),
            expected="Polars expressions, whose meaning can be compared",
            do="Compute it when the source is prepared",
        )
    for part in _parts(expr):
        if not part.meta.is_row_separable() and not part.meta.is_literal():
            raise ProjectError(
                f"{where} looks at other rows",
                found=str(part),
                expected="an expression over the columns of one row",
                do="Compute it when the source is prepared, or use a window aggregate",
            )


def select_rows(frame: pl.DataFrame, expressions: Sequence[pl.Expr]) -> pl.DataFrame:
    """Row expressions over a frame: as many rows as the frame has, also where all are constants.

    Raises:
        PolarsError: An expression can't be computed.
    """
    made = frame.select(expressions)
    if len(made) != len(frame):
        return pl.concat([made] * len(frame)) if len(made) == 1 and len(frame) else made.clear()
    return made


def expression_digest(expr: pl.Expr | None) -> Digest:
    """Digest of what an expression computes; its output name changes nothing."""
    return digest(None if expr is None else json.loads(_serialized(expr.meta.undo_aliases())))


def in_words(expr: pl.Expr) -> str:
    """An expression as a person would write it.

    Example:
        >>> in_words((pl.col("arr_delay") - pl.col("dep_delay")) >= 15)
        '(arr_delay - dep_delay) >= 15'
    """
    text = str(expr.meta.undo_aliases())
    text = re.sub(r'col\("([^"]*)"\)', r"\1", text)
    text = re.sub(r"dyn (?:int|float): ", "", text)
    text = text.replace("([", "(").replace("])", ")")
    text = re.sub(r'(?<!\w)\(("[^"]*"|[\w.]+)\)', r"\1", text)
    return text.removeprefix("[").removesuffix("]") if text.startswith("[") else text


def _parts(expr: pl.Expr) -> list[pl.Expr]:
    inner = expr.meta.pop()
    return [expr, *(part for child in inner for part in _parts(child))]


def _serialized(expr: pl.Expr) -> str:
    text: Any = expr.meta.serialize(format="json")
    return str(text)
