"""Private figures: no subject moves one further than the noise was told, and what is said of them is so."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import UsageError
from drivetrain.core.protocols import Noised
from drivetrain.data.privacy.aggregate import Ask, aggregate

ASKS = [
    Ask(what="count", epsilon=1.0),
    Ask(what="count", column="amount", per="who", most=2, epsilon=1.0),
    Ask(what="sum", column="amount", low=-5.0, high=20.0, epsilon=1.0),
    Ask(what="sum", column="amount", low=0.0, high=20.0, per="who", most=3, epsilon=1.0),
    Ask(what="mean", column="amount", low=10.0, high=20.0, per="who", most=2, epsilon=1.0),
    Ask(what="histogram", column="amount", edges=(0.0, 10.0), per="who", most=2, epsilon=1.0),
    Ask(what="histogram", column="town", among=("Ulm", "Bonn"), epsilon=1.0),
]
AMOUNTS = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, 0.0, 10.0])
ROWS = st.lists(
    st.tuples(st.none() | st.integers(0, 3), AMOUNTS, st.sampled_from([None, "Ulm", "Bonn", "Köln"])), max_size=12
)


class Recorder:
    """No noise; remembers what was asked of it."""

    def __init__(self):
        self.asked = []

    def __call__(self, values, *, reach, epsilon, delta):
        self.asked.append((list(values), reach, epsilon, delta))
        return Noised(list(values), 0.0, 0.0)


def frame(rows):
    return pl.DataFrame(rows, schema={"who": pl.Int64, "amount": pl.Float64, "town": pl.String}, orient="row")


def released(rows, ask):
    recorder = Recorder()
    aggregate(frame(rows), ask, recorder)
    return recorder.asked


@settings(max_examples=80)
@given(ROWS, st.sampled_from(ASKS), st.data())
def test_who_comes_or_goes_moves_figures_no_further_than_the_noise_is_told(rows, ask, data):
    if ask.per is None:
        gone = data.draw(st.integers(0, max(len(rows) - 1, 0)))
        without = [row for at, row in enumerate(rows) if at != gone]
    else:
        who = data.draw(st.integers(0, 3))
        without = [row for row in rows if row[0] != who]
    for (here, reach, *_), (there, *_) in zip(released(rows, ask), released(without, ask), strict=True):
        assert sum(abs(one - other) for one, other in zip(here, there, strict=True)) <= reach
    spent = released(rows, ask)
    assert sum(epsilon for _, _, epsilon, _ in spent) <= ask.epsilon


@settings(max_examples=60)
@given(ROWS)
def test_without_noise_it_is_what_is_counted_by_hand(rows):
    known = [row[1] for row in rows if row[1] is not None and math.isfinite(row[1])]
    kept = [min(max(value, 10.0), 20.0) for value in known]
    total = aggregate(frame(rows), Ask(what="sum", column="amount", low=10.0, high=20.0, epsilon=1.0), Recorder())
    assert total.values[0] == pytest.approx(sum(kept), abs=1e-4)
    mean = aggregate(frame(rows), Ask(what="mean", column="amount", low=10.0, high=20.0, epsilon=1.0), Recorder())
    assert mean.values[0] == pytest.approx(sum(kept) / len(kept) if kept else 15.0, abs=1e-4)
    bars = aggregate(frame(rows), Ask(what="histogram", column="amount", edges=(0.0, 10.0), epsilon=1.0), Recorder())
    assert bars.labels == ("<0", "0–10", "≥10")
    assert bars.values == (
        sum(value < 0 for value in known),
        sum(0 <= value < 10 for value in known),
        sum(value >= 10 for value in known),
    )
    towns = aggregate(frame(rows), ASKS[-1], Recorder())
    assert dict(zip(towns.labels, towns.values, strict=True)) == {
        "Ulm": sum(row[2] == "Ulm" for row in rows),
        "Bonn": sum(row[2] == "Bonn" for row in rows),
        "other": sum(row[2] == "Köln" for row in rows),
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"what": "count", "epsilon": 0.0}, "needs an epsilon above 0"),
        ({"what": "count", "epsilon": math.inf}, "needs an epsilon above 0"),
        ({"what": "count", "epsilon": 1.0, "delta": 1.0}, "a delta from 0"),
        ({"what": "sum", "epsilon": 1.0}, "is of a column"),
        ({"what": "mean", "column": "x", "epsilon": 1.0}, "needs bounds that are known beforehand"),
        ({"what": "sum", "column": "x", "low": 2.0, "high": 1.0, "epsilon": 1.0}, "needs bounds"),
        ({"what": "histogram", "column": "x", "epsilon": 1.0}, "needs edges"),
        ({"what": "histogram", "column": "x", "edges": (2.0, 1.0), "epsilon": 1.0}, "edges must rise"),
        ({"what": "count", "most": 0, "epsilon": 1.0}, "one row or more"),
        ({"what": "sum", "column": "x", "low": 0.0, "high": math.inf, "epsilon": 1.0}, "finite numbers"),
        ({"what": "mean", "column": "x", "low": -math.inf, "high": 0.0, "epsilon": 1.0}, "finite numbers"),
        ({"what": "histogram", "column": "x", "edges": (0.0, math.inf), "epsilon": 1.0}, "finite numbers"),
        ({"what": "histogram", "column": "x", "edges": (0.0, math.nan), "epsilon": 1.0}, "finite numbers"),
        ({"what": "histogram", "column": "x", "among": ("a", "a"), "epsilon": 1.0}, "values differ"),
    ],
)
def test_what_cannot_be_asked(asked, said):
    with pytest.raises(UsageError, match=said):
        Ask(**asked)


def test_nobody_counts_less_than_no_rows():
    told = aggregate(frame([]), ASKS[0], lambda values, **_: Noised([-5 for _ in values], 3.0, 1.0))
    assert (told.values, told.lower, told.upper) == ((0.0,), (0.0,), (0.0,))


def test_a_sum_is_of_numbers():
    with pytest.raises(UsageError, match="a sum is of numbers; found town of String"):
        aggregate(frame([]), Ask(what="sum", column="town", low=0.0, high=1.0, epsilon=1.0), Recorder())
