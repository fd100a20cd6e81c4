"""Named columns of a request, checked against the endpoint's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drivetrain.core.errors import RequestError
from drivetrain.serve.instance import WORDS, InstanceSchema, show
from drivetrain.serve.plan import FieldType


def check_names(
    names: Sequence[str],
    schema: InstanceSchema,
    where: str,
    *,
    noun: str = "column",
    words: Mapping[FieldType, str] = WORDS,
) -> None:
    """Makes sure that every field of the endpoint has one column, and nothing else has.

    Args:
        names: The columns.
        schema: The endpoint's fields.
        where: Their path in the request.
        noun: What the protocol calls a column.
        words: What it calls the types.

    Raises:
        RequestError: A column is unknown, comes twice, or is missing.
    """
    known, seen = frozenset(schema.names), set[str]()
    for at, name in enumerate(names):
        path = f"{where}[{at}]"
        if name not in known:
            raise RequestError(
                f"{path} is no field of the endpoint",
                field=path,
                found=show(name),
                expected=f"one of {', '.join(schema.names)}",
            )
        if name in seen:
            raise RequestError(f"{path} comes twice", field=path, found=show(name), expected="each once")
        seen.add(name)
    for field in schema.fields:
        if field.name not in seen:
            raise RequestError(f"the {noun} {field.name} is missing", field=where, expected=words[field.type])


def rows_of(columns: Mapping[str, Sequence[Any]], where: str) -> list[tuple[Any, ...]]:
    """Columns as rows.

    Raises:
        RequestError: The columns differ in length.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise RequestError(f"{where} differ in length", field=where, found=str(lengths), expected="one length")
    return list(zip(*columns.values(), strict=True))
