"""The drift report of two sets of rows: every statistic asked for, of every column, judged against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import HOUR, duration
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.columns import categories, is_number, numbers, shared
from drivetrain.monitor.comparison.difference import Comparison, Difference
from drivetrain.monitor.comparison.in_time import judge_blocks
from drivetrain.monitor.comparison.pooled import sorted_of
from drivetrain.monitor.comparison.sides import Categories, Deals, Numbers, Side
from drivetrain.monitor.statistics.correction import holm
from drivetrain.monitor.statistics.permutation import place
from drivetrain.monitor.statistics.statistic import StatisticName, statistic_of

_FIRST = 999
_MOST = 20_000
_LIKELY = 0.01
"""What is likelier than that after the first deals is not dealt again: it is known well enough."""


def compare(
    reference: pl.DataFrame,
    window: pl.DataFrame,
    *,
    statistics: Sequence[StatisticName] = ("ks", "psi"),
    features: Sequence[str] = (),
    false_alarm: float = 0.05,
    effects: Mapping[str, float] | None = None,
    time: str | None = None,
    block: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Says which columns of a window are unlike the reference's, by how much, and how surely.

    Numbers are compared exactly, from their sorted values, or in bins of the reference's quantiles for statistics of
    bins; categories by their counts. Nulls count: as a bin of their own, or as the greatest value there is. Distances
    between values are told in standard deviations (a 3.29th of the reference's middle nine tenths).

    Args:
        reference: Rows of before.
        window: Rows of now; columns of the same names are compared.
        statistics: Which, of ``psi``, ``js``, ``ks``, ``chi2``, ``hellinger``, ``tv``, ``wasserstein``, ``energy``.
        features: Compare only these columns; all that both sides have by default.
        false_alarm: Probability that anything at all is called drifted when nothing changed.
        effects: Statistic → the value from which on it is worth a word; each one's own by default.
        time: Column with each row's moment. With it, rows are taken to hang together in time and blocks of time are
            dealt by lot; without, rows are taken to be independent and are dealt one by one.
        block: How long such blocks are, such as ``"7d"``; by default as long as neighbours resemble each other.
        seed: Where the lots come from.

    Raises:
        UsageError: A side has no rows, columns don't fit together, or there are too few blocks.
        UnknownName: No statistic is called that.

    Example:
        >>> then, now = (pl.DataFrame({"x": np.random.default_rng(at).normal(at, 1, 500)}) for at in (0, 1))
        >>> compare(then, now).drifted
        ('x',)
    """
    for asked in statistics:
        statistic_of(asked)
    if not 0 < false_alarm < 1:
        raise UsageError("a rate of false alarms is a share", found=false_alarm, expected="above 0, below 1")
    least = {asked: statistic_of(asked).effect for asked in statistics} | dict(effects or {})
    names = [name for name in shared(reference, window, tuple(features)) if name != time]
    tests = len(names) * len(statistics)
    report = partial(Comparison, reference_rows=reference.height, window_rows=window.height, false_alarm=false_alarm)
    deals = Deals(reference.height, window.height, _draws(tests, false_alarm), seed)
    found: list[Difference] = []
    for name in names:
        side = _side(reference[name], window[name], deals)
        seen = [_seen((name, each), side, least[each]) for each in statistics]
        found += seen if time is not None else [_by_rows(each, side, deals, false_alarm) for each in seen]
    if time is None:
        corrected = holm(np.array([each.p_value for each in found]))
        return report(differences=_judged(found, corrected, false_alarm))
    length = None if block is None else duration(block)
    dealt = judge_blocks(reference, window, product(names, statistics), time, length, seed)
    bounds = np.quantile(dealt.dealt, 1 - false_alarm, axis=0)
    found = [
        replace(each, chance=float(bound), p_value=float(p))
        for each, bound, p in zip(found, bounds, dealt.p_values, strict=True)
    ]
    return report(
        differences=_judged(found, dealt.corrected, false_alarm), null=f"blocks of {dealt.length / HOUR:g} hours"
    )


def _draws(tests: int, false_alarm: float) -> int:
    """Deals enough that the least probability they can tell is, corrected, well below the stated rate."""
    return int(min(max(_FIRST, 3 * tests / false_alarm), _MOST))


def _side(reference: pl.Series, window: pl.Series, deals: Deals) -> Side:
    if is_number(reference):
        return Numbers(sorted_of(numbers(reference)), sorted_of(numbers(window)), deals)
    return Categories(*categories(reference, window), deals)


def _seen(test: tuple[str, StatisticName], side: Side, effect: float) -> Difference:
    name, statistic = test
    return Difference(
        feature=name,
        statistic=statistic,
        value=side.value(statistic),
        effect=effect,
        chance=float("nan"),
        p_value=1.0,
        reference_null_share=side.null_shares[0],
        null_share=side.null_shares[1],
    )


def _by_rows(seen: Difference, side: Side, deals: Deals, false_alarm: float) -> Difference:
    """What chance does when rows are dealt one by one."""
    chance = side.chance(seen.statistic, _FIRST)
    if isinstance(chance, float):
        return replace(seen, p_value=chance, chance=deals.smirnov(false_alarm))
    compared = side.compared(seen.statistic)
    p_value, bound = place(compared, chance), float(np.quantile(chance, 1 - false_alarm))
    if p_value <= _LIKELY and deals.draws > _FIRST:
        further = side.chance(seen.statistic, deals.draws)
        p_value = p_value if isinstance(further, float) else place(compared, further)
    return replace(seen, p_value=p_value, chance=bound)


def _judged(found: list[Difference], corrected: Floats, false_alarm: float) -> tuple[Difference, ...]:
    return tuple(
        replace(each, corrected=float(p), drifted=bool(p <= false_alarm and each.value >= each.effect))
        for each, p in zip(found, corrected, strict=True)
    )
