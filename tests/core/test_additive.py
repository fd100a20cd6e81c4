from __future__ import annotations

import math

import pytest

from drivetrain.core.additive import Additive, Term

NUMBER = Term((2.0, -1.0), (-6.0, 3.0), (0.5, 0.25))
CARRIER = Term((0.0, 0.0), (0.0, 0.0), (-1.0, -2.0), ((1.0, 10.0), (2.0, 20.0)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(4.0, [2.0, -1.0]), (0.0, [-6.0, 3.0]), (math.nan, [0.5, 0.25])],
)
def test_a_number_adds_its_slope_for_every_unit(value, expected):
    assert list(NUMBER.at(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, (1.0, 10.0)), (1.0, (2.0, 20.0)), (math.nan, (-1.0, -2.0)), (2.0, (-1.0, -2.0)), (-1.0, (-1.0, -2.0))],
)
def test_a_category_adds_what_its_code_does_and_an_unknown_one_what_null_does(value, expected):
    assert tuple(CARRIER.at(value)) == expected


def test_several_outputs_are_explained_apart():
    model = Additive((7.0, 8.0), (NUMBER, CARRIER))
    assert model.explain([[4.0, 1.0]]) == [[[2.0, 2.0, 7.0], [-1.0, 20.0, 8.0]]]
