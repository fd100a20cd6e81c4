from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import UsageError
from drivetrain.serve.bucket import Bucket, rate_of


@given(st.floats(0.1, 500), st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_no_stretch_of_time_lets_more_through_than_its_rate_and_one_burst(rate, gaps):
    bucket, now, passed = Bucket(rate), 0.0, []
    for gap in gaps:
        now += gap
        if not bucket.wait(now):
            passed.append(now)
    for start in range(len(passed)):
        for end in range(start, len(passed)):
            assert end - start + 1 <= max(1.0, rate) + rate * (passed[end] - passed[start]) + 1e-6


@given(st.floats(0.1, 500), st.lists(st.floats(0, 0.01), max_size=50))
def test_whoever_waits_as_long_as_they_are_told_passes(rate, gaps):
    bucket, now = Bucket(rate), 0.0
    for gap in gaps:
        now += gap
        if wait := bucket.wait(now):
            now += wait + 1e-6
            assert not bucket.wait(now)


@pytest.mark.parametrize(
    ("text", "rate"), [("", 0.0), ("100/s", 100.0), ("30/m", 0.5), ("1.5/s", 1.5), (" 36 / h ", 0.01)]
)
def test_rates(text, rate):
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["100", "fast", "0/s", "-1/s", "1/d", "1/s2", "/s"])
def test_what_is_no_rate_is_named(text):
    with pytest.raises(UsageError, match="not a rate"):
        rate_of(text)
