"""Intervals of shares and differences, against scipy's figures and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from drivetrain.evaluate.bias.shares import Tally, difference, wilson


def tallies(
    random: np.random.Generator, blocks: int, sizes: tuple[int, int], rates: tuple[float, float], luck: float = 0.0
) -> tuple[Tally, Tally]:
    """Two groups in the same blocks; a block as a whole lies above or below its rate, in both alike."""
    shifts = luck * random.normal(size=blocks)
    alike = 0.0
    made = []
    for size, rate in zip(sizes, rates, strict=True):
        rows = random.multinomial(size, np.full(blocks, 1 / blocks)).astype(float)
        chances = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + shifts)))
        made.append((rows, random.binomial(rows.astype(int), chances).astype(float)))
    every = Tally(made[0][0] + made[1][0], made[0][1] + made[1][1], clustered=True)
    alike = every.correlation()
    ours, theirs = (Tally(rows, hits, clustered=True, alike=alike) for rows, hits in made)
    return ours, theirs


def expected(rate: float, luck: float) -> float:
    """The rate over endlessly many blocks."""
    shifts = luck * np.random.default_rng(99).normal(size=400_000)
    return float(np.mean(1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + shifts)))))


@pytest.mark.parametrize(("hits", "rows"), [(0, 40), (3, 120), (60, 120), (120, 120)])
def test_rows_that_stand_alone_have_wilsons_interval(hits: int, rows: int) -> None:
    tally = Tally(np.array([float(rows)]), np.array([float(hits)]), clustered=False)
    golden = binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    assert tally.bounds(0.95) == pytest.approx((golden.low, golden.high), abs=1e-9)
    assert wilson(hits / rows, rows, 1.959963984540054) == pytest.approx((golden.low, golden.high), abs=1e-9)


def test_a_difference_of_rows_that_stand_alone_is_newcombes() -> None:
    """Newcombe (1998), table II, method 10: of 56/70 against 48/80, and of 9/10 against 3/10."""
    for (a, m, b, n), bounds in {(56, 70, 48, 80): (0.0524, 0.3339), (9, 10, 3, 10): (0.1705, 0.8090)}.items():
        ours = Tally(np.array([float(m)]), np.array([float(a)]), clustered=False)
        theirs = Tally(np.array([float(n)]), np.array([float(b)]), clustered=False)
        found = difference(ours, theirs, 0.95, 1)
        assert (found.low, found.high) == pytest.approx(bounds, abs=5e-5)


@pytest.mark.truth
@pytest.mark.parametrize("luck", [0.0, 0.6])
@pytest.mark.parametrize("rate", [0.02, 0.25])
@pytest.mark.parametrize("blocks", [8, 40])
def test_shares_and_differences_hold_what_they_say(blocks: int, rate: float, luck: float) -> None:
    """Of 500 tries at 95 %, under 92 % would come by chance once in a thousand; a share's own, and the difference's."""
    random = np.random.default_rng(7)
    rates = (rate, min(0.9, rate * 1.8))
    truths = tuple(expected(each, luck) for each in rates)
    hits = np.zeros(3)
    for _ in range(500):
        ours, theirs = tallies(random, blocks, (300, 1_500), rates, luck)
        gap = difference(ours, theirs, 0.95, 1)
        hits += [
            gap.low <= truths[0] - truths[1] <= gap.high,
            *(
                low <= truth <= high
                for (low, high), truth in zip((ours.bounds(0.95), theirs.bounds(0.95)), truths, strict=True)
            ),
        ]
    assert (hits / 500 >= 0.92).all(), hits / 500


@pytest.mark.truth
def test_rows_that_share_their_luck_are_not_taken_for_so_many() -> None:
    """The same counts without blocks miss the truth far too often: what the design effect is for."""
    random = np.random.default_rng(3)
    truth = expected(0.25, 0.6)
    alone = 0
    for _ in range(400):
        _, theirs = tallies(random, 30, (300, 3_000), (0.25, 0.25), 0.6)
        low, high = Tally(theirs.rows, theirs.hits, clustered=False).bounds(0.95)
        alone += low <= truth <= high
    assert alone / 400 < 0.8


def test_luck_that_both_groups_share_cancels_in_their_difference() -> None:
    random = np.random.default_rng(5)
    ours, theirs = tallies(random, 60, (20_000, 20_000), (0.3, 0.3), 0.8)
    gap, own = difference(ours, theirs, 0.95, 1), ours.measure(0.95)
    assert gap.high - gap.low < (own.high - own.low) / 2


def test_differences_that_hold_together_are_wider() -> None:
    ours, theirs = tallies(np.random.default_rng(1), 30, (300, 900), (0.2, 0.2))
    alone, together = difference(ours, theirs, 0.95, 1), difference(ours, theirs, 0.95, 50)
    assert together.low < alone.low < alone.high < together.high


def test_a_group_of_a_single_day_may_be_anything() -> None:
    assert Tally(np.array([480.0, 0.0]), np.array([240.0, 0.0]), clustered=True).bounds(0.95) == (0.0, 1.0)
