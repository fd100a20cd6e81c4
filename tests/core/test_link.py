from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.link import link_of

margins = st.lists(st.floats(-30, 30), min_size=2, max_size=4)


def softmax(row: list[float]) -> list[float]:
    total = sum(math.exp(value) for value in row)
    return [math.exp(value) / total for value in row]


APPLIED = {
    "logistic": lambda row: [1 / (1 + math.exp(-value)) for value in row],
    "softmax": softmax,
    "identity": list,
    "log": lambda row: [math.exp(value) for value in row],
}


@pytest.mark.parametrize("link", APPLIED)
@given(st.lists(margins, min_size=1, max_size=5))
def test_the_link_that_was_applied_is_found(link, rows):
    width = len(rows[0])
    table = [[-2.0, *([1.0] * (width - 1))], [3.0, *([2.0] * (width - 1))], *(row for row in rows if len(row) == width)]
    assert link_of(table, [APPLIED[link](row) for row in table]) == link


@pytest.mark.parametrize("margin", [-1e6, 1e6])
def test_margins_beyond_a_double_are_no_trouble(margin):
    assert link_of([[margin], [1.0]], [[float(margin > 0)], [1 / (1 + math.exp(-1.0))]]) == "logistic"


@pytest.mark.parametrize(
    "answers", [[[0.5], [0.7]], [[math.nan], [math.nan]], [[0.5, 0.5], [0.8, 0.2]]], ids=["other", "nan", "wider"]
)
def test_what_no_link_explains(answers):
    assert link_of([[0.0], [5.0]], answers) is None
