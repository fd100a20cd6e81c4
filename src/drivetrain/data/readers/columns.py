"""Python values to columns, without guessing: what does not fit one type stays as text for the contract to judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl


def frame_of_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows given as mappings; columns in order of first appearance, missing ones null.

    Example:
        >>> frame_of_rows([{"a": 1}, {"a": "x", "b": True}]).to_dicts()
        [{'a': '1', 'b': None}, {'a': 'x', 'b': True}]
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([series(name, [row.get(name) for row in rows]) for name in names])


def series(name: str, values: Iterable[Any]) -> pl.Series:
    """A column of one type: whole numbers, numbers, booleans, moments or text; anything mixed becomes text.

    Example:
        >>> import datetime
        >>> series("at", [datetime.date(2013, 7, 1), "0000-00-00"]).to_list()
        ['2013-07-01', '0000-00-00']
    """
    found = list(values)
    kinds = {type(value) for value in found if value is not None}
    if kinds == {int, float}:
        found = [None if value is None else float(value) for value in found]
    elif len(kinds) > 1 or kinds & {dict, list}:
        found = [text(value) for value in found]
    try:
        return pl.Series(name, found, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [text(value) for value in found], dtype=pl.String)


def text(value: object) -> str | None:
    """A value as text: as it is, or as JSON writes it; moments, decimals and the like without its quotes."""
    plain = msgspec.to_builtins(value)
    return plain if plain is None or isinstance(plain, str) else msgspec.json.encode(plain).decode()
