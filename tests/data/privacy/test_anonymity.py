from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import UsageError
from drivetrain.data.privacy.anonymity import k_anonymity

ROWS = st.lists(st.tuples(st.sampled_from(["Ulm", "Bonn", None]), st.integers(0, 3)), max_size=40)


@given(ROWS, st.integers(1, 6))
def test_as_counted_by_hand(rows, k):
    frame = pl.DataFrame(rows, schema={"town": pl.String, "age": pl.Int64}, orient="row")
    counts = Counter(rows)
    found = k_anonymity(frame, ["town", "age"], k)
    assert found.k == min(counts.values(), default=0)
    assert found.groups == len(counts)
    assert found.small == sum(count for count in counts.values() if count < k)
    assert list(found.worst) == sorted(counts.values())[:10]


@pytest.mark.parametrize(("columns", "k"), [([], 2), (["shoe"], 2), (["town"], 0)])
def test_what_cannot_be_asked(columns, k):
    with pytest.raises(UsageError, match="k-anonymity is of columns"):
        k_anonymity(pl.DataFrame({"town": ["Ulm"]}), columns, k)
