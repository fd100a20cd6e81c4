from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from drivetrain.features import extremes
from drivetrain.features.extremes import Sight, smallest_between, smallest_visible
from drivetrain.features.timeline import Timeline


def test_ranges():
    random = np.random.default_rng(1)
    values = random.normal(size=100)
    start = random.integers(0, 101, 500)
    stop = random.integers(0, 101, 500)
    expected = [min(values[a:b], default=np.inf) for a, b in zip(start, stop, strict=True)]
    assert smallest_between(values, start, stop).tolist() == expected
    assert smallest_between(values[:0], start[:2] * 0, start[:2] * 0).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("chunk", [7, 1 << 22])
@pytest.mark.parametrize("delays", [0, 3, 10, 200])
@pytest.mark.parametrize("window", [5, 40, None])
def test_what_is_visible(delays, window, chunk):
    random = np.random.default_rng(delays)
    many = 1_500
    entity = random.integers(0, 3, many)
    event = random.integers(0, 400, many)
    available = event + random.integers(0, delays + 1, many)
    timeline = Timeline.of(entity, event, available, np.arange(many), 3)
    values = random.normal(size=many)
    who, when = random.integers(0, 3, 300), random.integers(-5, 650, 300)
    with mock.patch.object(extremes, "_CHUNK", chunk):
        found = smallest_visible(
            timeline, values[timeline.rows], Sight(who, when, None if window is None else when - window)
        )
    for at, (asked, moment) in enumerate(zip(who, when, strict=True)):
        seen = (entity == asked) & (available <= moment)
        if window is not None:
            seen &= event > moment - window
        assert found[at] == values[seen].min(initial=np.inf)
