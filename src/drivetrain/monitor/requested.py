"""What requests say in a field that a feature is named after."""

from __future__ import annotations

import polars as pl


def requested(requests: pl.Series, feature: str) -> pl.Series:
    """The field of each request that goes by the last part of a feature's name, as text; null where there is none.

    A field whose name has a backslash, or both quotation marks, is not found.

    Args:
        requests: The instances as they came, JSON text.
        feature: Full name: ``sms.message`` is ``message``.

    Example:
        >>> requested(pl.Series(['{"message": "free"}', "{}"]), "sms.message").to_list()
        ['free', None]
    """
    field = feature.rpartition(".")[2]
    mark = "'" if '"' in field else '"'
    if mark in field or "\\" in field:  # what Polars' paths can't say, for they don't escape reliably
        return pl.repeat(None, len(requests), dtype=pl.String, eager=True)
    return requests.str.json_path_match(f"$[{mark}{field}{mark}]")
