"""A feature's values at a glance: how many are missing, how they are spread, what is most frequent."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import polars as pl

BINS = 12
AT = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Quantiles that are told."""
TOP = 5


class Sketch(msgspec.Struct, frozen=True, kw_only=True):
    """Some values, summed up.

    Attributes:
        rows: How many there were, nulls included.
        null_share: Share of them that are null.
        masked: Whether figures and categories are left out because they must not be shown.
        shape: For numbers: the share of values in each of at most :data:`BINS` equal steps from the 1st to the 99th
            percentile, whatever is beyond in the outermost ones; of whole numbers, equally many in each step.
        quantiles: For numbers: quantile → value, for those of :data:`AT`.
        top: For texts and booleans: the most frequent values and their shares of what is not null.
        distinct: For texts and booleans: how many different values there were.
    """

    rows: int
    null_share: float
    masked: bool = False
    shape: tuple[float, ...] = ()
    quantiles: dict[str, float] = {}
    top: tuple[tuple[str, float], ...] = ()
    distinct: int | None = None


def sketch_of(values: pl.Series, *, masked: bool = False) -> Sketch:
    """Sums values up.

    Args:
        values: Of one feature; NaN counts as null.
        masked: Whether to tell only how many are missing and, of numbers, the shape without a scale.

    Example:
        >>> sketch_of(pl.Series(["a", "b", None, "a"])).null_share
        0.25
    """
    given = values.fill_nan(None) if values.dtype.is_float() else values
    known = given.drop_nulls()
    empty = given.null_count() / len(given) if len(given) else 0.0
    base = Sketch(rows=len(given), null_share=empty, masked=masked)
    if known.is_empty():
        return base
    if known.dtype.is_numeric():
        floats = known.cast(pl.Float64).to_numpy()
        told = {} if masked else dict(zip(map(str, AT), np.quantile(floats, AT).tolist(), strict=True))
        return msgspec.structs.replace(base, shape=_shape(floats), quantiles=told)
    if masked:
        return base
    counts = known.cast(pl.String).alias("text").value_counts().sort(["count", "text"], descending=[True, False])
    top = tuple((text, number / len(known)) for text, number in counts.head(TOP).iter_rows())
    return msgspec.structs.replace(base, top=top, distinct=len(counts))


def _shape(floats: np.ndarray) -> tuple[float, ...]:
    low, high = np.quantile(floats, (0.01, 0.99)).tolist()
    if np.array_equal(floats, np.floor(floats)):
        low, high = math.floor(low), math.ceil(high) + 1
        step = -(-(high - low) // BINS)
        edges = np.arange(low, high + step, step, dtype=np.float64)
    else:
        edges = np.linspace(low, high, BINS + 1) if low < high else np.array([low, math.inf])
    place = np.searchsorted(edges, floats, side="right") - 1
    counts = np.bincount(np.clip(place, 0, len(edges) - 2), minlength=len(edges) - 1)
    return tuple((counts / len(floats)).tolist())
