"""Which values are frequent, with bounds: a Misra-Gries summary (1982), merged as Agarwal and others (2013) do."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import msgspec
import numpy as np
import polars as pl

from drivetrain.data.sketches.distinct import Hashes

MOST = 64
"""Values kept."""
LONGEST = 200
"""Characters of a value that are kept."""
_BUCKETS = 1 << 16
_EXACT = 1_000


class Frequent(msgspec.Struct, frozen=True):
    """Frequent values.

    Attributes:
        counts: Value → how often it came, at least; most frequent first.
        missed: How often, at most, any value came beyond its count; 0 while every count is exact and every value kept.

    Example:
        >>> frequent_of(pl.Series(["a", "b", "a"])).counts
        {'a': 2, 'b': 1}
    """

    counts: dict[str, int] = {}
    missed: int = 0

    def merge(self, other: Frequent) -> Frequent:
        """The summary of both."""
        counts = dict(self.counts)
        for value, count in other.counts.items():
            counts[value] = counts.get(value, 0) + count
        return _kept(counts, self.missed + other.missed)


def frequent_of(values: pl.Series, found: Hashes | None = None, distinct: float = 0) -> Frequent:
    """The summary of a column without nulls.

    Args:
        values: The column.
        found: Hashes of its values, where they are at hand.
        distinct: About how many different values there are; where there are many, only those that can be frequent
            are counted one by one.
    """
    missed = 0
    if found is not None and distinct > _EXACT:
        places = (found & np.uint64(_BUCKETS - 1)).astype(np.int64)
        sizes = np.bincount(places, minlength=_BUCKETS)
        # A bucket holds every row of its values: whatever is frequent lies in one of the fullest.
        least = max(int(np.partition(sizes, -MOST)[-MOST]), 1)
        values = values.filter(pl.Series(sizes[places] >= least))
        missed = least - 1
    counted = values.rename("_value").value_counts(name="_count").with_columns(pl.col("_value").cast(pl.String))
    top = counted.top_k(MOST + 1, by="_count").sort(["_count", "_value"], descending=[True, False])
    cut: dict[str, int] = {}
    for value, count in top.iter_rows():
        cut[value[:LONGEST]] = cut.get(value[:LONGEST], 0) + count
    return _kept(cut, missed)


def _kept(counts: Mapping[str, int], missed: int) -> Frequent:
    order = heapq.nsmallest(MOST + 1, counts.items(), key=lambda item: (-item[1], item[0]))
    dropped = order[MOST][1] if len(order) > MOST else 0
    return Frequent(dict(order[:MOST]), missed + dropped)
