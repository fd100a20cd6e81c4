from __future__ import annotations

import datasketches
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.sketches.quantiles import Quantiles, quantiles_of

SHARES = [share / 100 for share in range(1, 100)]


def furthest(values, found):
    """The greatest distance of a quantile's true ranks from the one that was asked for."""
    ordered = np.sort(values)
    low = np.searchsorted(ordered, found, side="left") / len(ordered)
    high = np.searchsorted(ordered, found, side="right") / len(ordered)
    return float(np.maximum(low - SHARES, np.asarray(SHARES) - high).max())


@pytest.mark.parametrize("parts", [1, 7, 200])
def test_ranks_are_right_to_one_percent_and_no_worse_than_a_peer(parts):
    values = np.random.default_rng(parts).lognormal(size=200_000)
    sketch, peer = Quantiles(), datasketches.kll_doubles_sketch(400)
    for part in np.array_split(values, parts):
        sketch = sketch.merge(quantiles_of(part))
        peer.update(part)
    assert sketch.count == peer.n == len(values)
    assert (sketch.low, sketch.high) == (values.min(), values.max())
    assert furthest(values, sketch.at(SHARES)) <= max(0.01, furthest(values, peer.get_quantiles(SHARES)))
    assert sum(map(len, sketch.levels)) < 16_000
    edges = np.quantile(values, [0.1, 0.5, 0.9])
    assert sketch.below(edges) / len(values) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)


@given(st.lists(st.lists(st.integers(-50, 50), max_size=30), max_size=8))
def test_few_values_are_kept_as_they_are(parts):
    sketch = Quantiles()
    for part in parts:
        sketch = sketch.merge(quantiles_of(np.asarray(part, np.float64)))
    values = sorted(value for part in parts for value in part)
    assert sketch.count == len(values)
    if values:
        assert sketch.at([0, 1]) == [values[0], values[-1]]
        assert sketch.below(np.asarray([0.0])).tolist() == [sum(value < 0 for value in values)]


def test_the_same_values_make_the_same_sketch():
    values = np.random.default_rng(0).normal(size=10_000)
    assert quantiles_of(values) == quantiles_of(values[::-1])
