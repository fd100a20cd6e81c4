from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.features.exact import Prefix, std_of, two_product, two_sum

NUMBERS = st.one_of(
    st.floats(-1e15, 1e15).filter(lambda value: value == 0 or abs(value) > 1e-15),
    st.integers(-(10**6), 10**6).map(float),
)


@given(NUMBERS, NUMBERS)
def test_sum_and_product_lose_nothing(first, second):
    for operation, exact in (
        (two_sum, Fraction(first) + Fraction(second)),
        (two_product, Fraction(first) * Fraction(second)),
    ):
        high, low = operation(np.array([first]), np.array([second]))
        assert Fraction(float(high[0])) + Fraction(float(low[0])) == exact


@given(st.lists(NUMBERS, max_size=40), st.data())
def test_every_range_is_the_exact_sum_rounded_once(values, data):
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    found = Prefix(np.array(values)).between(np.array([start]), np.array([stop]))[0][0]
    assert found == math.fsum(values[start:stop])


def test_a_huge_value_elsewhere_changes_no_sum():
    values = np.array([0.1, 0.2, 1e15, -3e14, 0.3, 0.7])
    assert Prefix(values).between(np.array([4]), np.array([6]))[0][0] == math.fsum([0.3, 0.7])


def test_ten_million_tenths_do_not_drift():
    values = np.full(10_000_000, 0.1)
    assert Prefix(values).between(np.array([9_999_990]), np.array([10_000_000]))[0][0] == math.fsum([0.1] * 10)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.sampled_from([0.0, 1e9, -1e12]))
def test_standard_deviation_far_from_zero(values, middle):
    shifted = [value + middle for value in values]
    array = np.array(shifted)
    squares = Prefix(*two_product(array, array))
    whole = np.array([0]), np.array([len(array)])
    found = std_of(np.array([float(len(array))]), Prefix(array).between(*whole), squares.between(*whole))[0]
    exact = [Fraction(value) for value in shifted]
    mean = sum(exact) / len(exact)
    expected = math.sqrt(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))
    assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12 * max(1.0, abs(middle) * 1e-3))


@given(st.lists(st.sampled_from([1e15, -1e15, 0.1, 1.0, 2.5, 1e-9]), min_size=1, max_size=12), st.data())
def test_ranges_between_two_orders_are_exact_too(values, data):
    order = data.draw(st.permutations(range(len(values))))
    stop = data.draw(st.integers(0, len(values)))
    array = np.array(values)
    taken = order[:stop]
    start = next(at for at in range(len(values) + 1) if at == len(values) or at not in taken)
    left = sorted(set(taken) - set(range(start)))
    for power, made in ((1, [array]), (2, [*two_product(array, array)])):
        known = Prefix(*(part[order] for part in made))
        high, low = known.between(np.array([start]), np.array([stop]), Prefix(*made))
        exact = sum((Fraction(values[at]) ** power for at in left), Fraction(0))
        assert abs(Fraction(float(high[0])) + Fraction(float(low[0])) - exact) <= abs(exact) * Fraction(2) ** -100
        assert power == 2 or high[0] == math.fsum(values[at] for at in left)
