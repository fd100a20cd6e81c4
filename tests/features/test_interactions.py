"""Interactions are what arithmetic says of each row, alone or among others."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import ProjectError
from drivetrain.features.derived import DerivedView
from drivetrain.features.interactions import interactions
from drivetrain.features.request import RequestFeatures

INPUTS = {"amount": "float", "items": "int", "shop": "string", "paid": "bool"}


def _order(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col(name) for name in INPUTS]


ORDER = RequestFeatures(name="order", function=_order, inputs=INPUTS)
PAIRS = DerivedView(
    name="pairs",
    of=(ORDER,),
    expressions=tuple(
        interactions(numbers=["order.amount", "order.items"], categories=["order.shop", "order.paid"])
    ),
)  # fmt: skip
_rows = st.tuples(
    st.none() | st.floats(-1e6, 1e6), st.none() | st.integers(-3, 3), st.none() | st.sampled_from("ab"),
    st.none() | st.booleans(),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(_rows, min_size=1, max_size=12))
def test_every_pair_is_what_arithmetic_says_alone_or_among_others(found: list[tuple[Any, ...]]) -> None:
    frame = ORDER.evaluate(
        pl.DataFrame(found, schema=dict(zip(INPUTS, ORDER.types.values(), strict=True)), orient="row")
    )
    told = PAIRS.evaluate(frame)
    for at, (amount, items, shop, paid) in enumerate(found):
        known = amount is not None and items is not None
        text = None if shop is None or paid is None else f"{shop} × {str(paid).lower()}"
        expected = (
            amount * items if known else None,
            amount / items if known and items else None,
            amount - items if known else None,
            text,
        )
        assert told.row(at) == expected
        assert PAIRS.evaluate(frame[at : at + 1]).row(0) == expected


def test_they_are_named_after_both_and_fully_where_two_are_called_alike() -> None:
    made = interactions(numbers=["a.mean", "b.mean", "b.fare"], kinds=["ratio"])
    names = [one.meta.output_name() for one in made]
    assert names == ["a_mean_per_b_mean", "a_mean_per_fare", "b_mean_per_fare"]


def test_a_product_of_integers_does_not_run_over() -> None:
    whole = pl.DataFrame({"a": [2**62], "b": [4]})
    assert whole.select(interactions(numbers=["a", "b"], kinds=["product"])).item() == math.ldexp(1.0, 64)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ProjectError, match=r"feature pairs.amount_per_price reads what is not there; found order.price"
    ):
        DerivedView(
            name="pairs", of=(ORDER,),
            expressions=tuple(interactions(numbers=["order.amount", "order.price"], kinds=["ratio"])),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "need two features of a kind; found 0 numbers, 0 categories"),
        ({"numbers": ["a"], "categories": ["b"]}, "found 1 numbers, 1 categories"),
        ({"numbers": ["a", "b"], "kinds": []}, "need two features of a kind"),
        ({"numbers": ["a", "a"]}, "name a feature twice; found 'a'"),
        ({"numbers": ["a", "b"], "kinds": ["power"]}, "know no such kind; found 'power'"),
        ({"numbers": "ab"}, "need a list of features; found numbers='ab'"),
        ({"numbers": [f"f{at}" for at in range(30)]}, "found 1,305; expected at most 500"),
    ],
)
def test_what_can_not_be_asked(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ProjectError, match=words):
        interactions(**asked)
