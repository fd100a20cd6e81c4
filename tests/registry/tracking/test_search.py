from __future__ import annotations

import math
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import UsageError
from drivetrain.registry.tracking.filter import Comparison, Order
from drivetrain.registry.tracking.search import chosen, holds, like, page


@settings(max_examples=300, deadline=None)
@given(st.text("ab%_\n.", max_size=8), st.text("ab%_\n.", max_size=6))
def test_like_is_what_a_regular_expression_says(text: str, pattern: str):
    expression = "".join(".*" if one == "%" else "." if one == "_" else re.escape(one) for one in pattern)
    assert like(text, pattern) is (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_like_does_not_hang_on_what_would_hang_a_regular_expression():
    began = time.perf_counter()
    assert not like("a" * 5_000, "%a" * 50 + "b")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("operator", "value", "told", "expected"),
    [
        ("=", 1.0, math.nan, False),
        ("!=", 1.0, math.nan, True),
        (">", 1.0, math.inf, True),
        ("!=", "x", None, False),
        ("IS NULL", None, None, True),
        ("IS NULL", None, "", False),
        ("IS NOT NULL", None, "", True),
        ("IN", ("a", "b"), "b", True),
        ("NOT IN", ("a", "b"), "b", False),
        ("NOT IN", ("a", "b"), None, False),
        ("ILIKE", "A%", "abc", True),
        ("LIKE", "A%", "abc", False),
        ("=", "b", ("a", "b"), True),
        ("=", "c", ("a", "b"), False),
        ("IS NULL", None, (), True),
    ],
)
def test_comparisons(operator: str, value: object, told: object, expected: bool):
    assert holds(Comparison("tag", "k", operator, value), told) is expected


def test_orders_keep_what_is_equal_as_it_was_and_put_the_silent_last():
    things = [{"a": 1.0, "b": "x"}, {"b": "y"}, {"a": 2.0, "b": "x"}, {"a": math.nan, "b": "y"}, {"a": 1.0, "b": "y"}]

    def order(*orders: Order) -> list[int]:
        found = chosen(things, lambda one, _, key: one.get(key), [], orders)
        return [things.index(one) for one in found]

    assert order(Order("metric", "a")) == [0, 4, 2, 3, 1]
    assert order(Order("metric", "a", True)) == [2, 0, 4, 3, 1]
    assert order(Order("tag", "b"), Order("metric", "a", True)) == [2, 0, 4, 3, 1]
    assert order(Order("tag", "b", True), Order("metric", "a")) == [4, 3, 1, 0, 2]


@given(st.integers(0, 30), st.integers(1, 12))
def test_pages_make_up_the_whole(count: int, most: int):
    found, token, seen = list(range(count)), "", []
    while True:
        shown, token = page(found, token, most, limit=12)
        assert len(shown) <= most
        seen += shown
        if not token:
            break
    assert seen == found


def test_a_page_that_is_none_is_refused():
    for token in ("x", "cGFnZTotMQ==", "cGFnZTo5OTk5OTk5OTk5OTk5OTk5OTk=", "é"):
        with pytest.raises(UsageError, match="page token"):
            page([1], token, 1, limit=1)
    for size in (0, -1, 11):
        with pytest.raises(UsageError, match="another size"):
            page([1], "", size, limit=10)
