from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.sketches.distinct import distinct_of_hashes, hashes
from drivetrain.data.sketches.frequent import MOST, Frequent, frequent_of


@given(st.lists(st.lists(st.integers(0, 120), max_size=300), max_size=6))
def test_counts_are_within_their_bounds(parts):
    found, truth = Frequent(), Counter()
    for part in parts:
        found = found.merge(frequent_of(pl.Series([str(value) for value in part], dtype=pl.String)))
        truth.update(map(str, part))
    assert len(found.counts) <= MOST
    for value, count in truth.items():
        assert found.counts.get(value, 0) <= count <= found.counts.get(value, 0) + found.missed
    if len(truth) <= MOST and all(len(set(part)) <= MOST for part in parts):
        assert (found.counts, found.missed) == (dict(truth), 0)


def test_what_is_frequent_among_very_many_values_is_found():
    chance = np.random.default_rng(0)
    values = pl.Series(np.concatenate([np.arange(100_000) + 1_000, np.repeat(np.arange(20), 5_000)])).cast(pl.String)
    values = values.sample(fraction=1, shuffle=True, seed=int(chance.integers(1_000)))
    found = hashes(values)
    top = frequent_of(values, found, distinct_of_hashes(found).estimate)
    assert set(map(str, range(20))) <= set(top.counts)
    assert all(top.counts[str(value)] == 5_000 for value in range(20))
    assert top.missed >= 1
