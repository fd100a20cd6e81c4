"""What tells one row of a table from another, in 64 bits: how a pushed event is known again when its row arrives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import polars as pl

from drivetrain.features.exact import Places

_BITS = 1 << 63
_KEPT = 1 << 13
"""Digests kept at hand: the views of a table ask for those of the same new rows, one after the other."""


def identity_of(values: Sequence[object]) -> int:
    """The identity of a row with these values in its source's key.

    A whole number is its own identity; everything else is digested, so that two of a million rows share one with a
    probability of 3e-8.

    Example:
        >>> identity_of([17])
        17
    """
    if len(values) == 1 and type(values[0]) is int and -_BITS <= values[0] < _BITS:
        return values[0]
    texts = [_text(value) for value in values]
    if len(texts) > 1:  # a text may have the separator in it
        texts = [text.replace("\\", "\\\\").replace("|", "\\|") for text in texts]
    return _digest("|".join(texts))


def identities_of(rows: pl.DataFrame) -> Places:
    """Identities of rows; the frame has the source's key columns, in order."""
    only = rows.to_series(0)
    if rows.width == 1 and only.dtype.is_integer() and not only.null_count():
        return only.cast(pl.Int64).to_numpy()
    each = pl.all().cast(pl.String).fill_null("")
    if rows.width > 1:
        each = each.str.replace_all("\\", "\\\\", literal=True).str.replace_all("|", "\\|", literal=True)
    texts = rows.select(pl.concat_str([each], separator="|")).to_series()
    return np.fromiter((_digest(text) for text in texts), np.int64, len(rows))


@lru_cache(_KEPT)
def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def _text(value: object) -> str:
    if type(value) in (str, int):
        return str(value)
    return "" if value is None else str(pl.Series([value]).cast(pl.String)[0])
