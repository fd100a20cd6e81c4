from __future__ import annotations

import datasketches
import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from drivetrain.data.sketches.distinct import ERROR, Distinct, distinct_of


@pytest.mark.parametrize("count", [0, 1, 30, 3_000, 20_000, 400_000])
def test_the_estimate_is_right_to_four_standard_errors_as_a_peers_is(count):
    values = pl.Series("n", np.arange(count) * 7)
    repeated = pl.concat([values, values.head(count // 2)])
    assert distinct_of(repeated).estimate == pytest.approx(count, rel=4 * ERROR)
    if count <= 20_000:
        peer = datasketches.hll_sketch(11)
        for value in repeated.to_list():
            peer.update(value)
        assert distinct_of(repeated).estimate == pytest.approx(peer.get_estimate(), rel=6 * ERROR)


@pytest.mark.parametrize("kind", [pl.String, pl.Float64, pl.Int64])
def test_parts_merge_into_the_sketch_of_the_whole(kind):
    values = pl.Series("n", range(150_000)).cast(kind)
    parts = [distinct_of(values[:70_000]), distinct_of(values[60_000:])]
    assert parts[0].merge(parts[1]) == distinct_of(values)
    assert Distinct().merge(parts[0]) == parts[0]


def test_sketches_of_different_hashes_do_not_merge():
    one = distinct_of(pl.Series([1, 2]))
    assert one.merge(replace(one, hashing=one.hashing + 1)) is None
