"""What logged requests say in a field."""

from __future__ import annotations

from functools import partial

import msgspec
import polars as pl


def field_of(name: str) -> pl.Expr:
    """The field of each logged request, as text: strings without their quotes, all else as JSON has it.

    It reads the column ``request``, JSON text; null where a request has no such field, or says null.

    Args:
        name: The field.

    Example:
        >>> asked = pl.DataFrame({"request": ['{"amount": 1}', '{"amount": "free"}', "{}"]})
        >>> asked.select(field_of("amount")).to_series().to_list()
        ['1', 'free', None]
    """
    text = pl.col("request").cast(pl.String)
    mark = "'" if '"' in name else '"'
    if mark in name or "\\" in name:  # what Polars' paths can't say, for they don't escape reliably
        return text.map_elements(partial(_decoded, name), return_dtype=pl.String)
    return text.str.json_path_match(f"$[{mark}{name}{mark}]")


def _decoded(name: str, request: str) -> str | None:
    told = msgspec.json.decode(request)
    value = told.get(name) if isinstance(told, dict) else None
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
