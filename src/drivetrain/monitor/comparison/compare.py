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
from drivetrain.monitor.comparison.in_time import Dated, judge_blocks
from drivetrain.monitor.comparison.pooled import sorted_of
from drivetrain.monitor.comparison.sides import Categories, Deals, Numbers, Side
from drivetrain.monitor.comparison.texts import Measured, Prepared, measure, prepare_texts, prepare_vectors
from drivetrain.monitor.statistics.correction import holm
from drivetrain.monitor.statistics.permutation import place
from drivetrain.monitor.statistics.statistic import StatisticName, statistic_of
from drivetrain.monitor.texts.dealing import by_rows
from drivetrain.monitor.texts.kinds import kind_of
from drivetrain.monitor.texts.statistic import EFFECTS, OF_TEXTS

_FIRST = 999
_MOST = 20_000
_GROUPED = (1_999, 4_999)
_PREPARE = {"text": prepare_texts, "vector": prepare_vectors}
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
    texts: Sequence[str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Says which columns of a window are unlike the reference's, by how much, and how surely.

    Numbers are compared exactly, from their sorted values, or in bins of the reference's quantiles for statistics of
    bins; categories by their counts. Nulls count: as a bin of their own, or as the greatest value there is. Distances
    between values are told in standard deviations (a 3.29th of the reference's middle nine tenths).

    Columns of texts, and of vectors (lists or arrays of numbers, all of one length), have statistics of their own,
    always all of them: ``mmd``, ``classifier``; of texts also ``words``, ``unseen_words``, ``length`` and ``script``;
    of vectors ``norm`` and ``no_value`` (see :mod:`drivetrain.monitor.texts.statistic`).

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
        texts: Names of the columns that are texts; all others of strings are categories. By default those are texts
            whose values are mostly distinct and have three words or more in the mean.
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
    kinds = {name: kind_of(reference[name], window[name], texts) for name in names}
    prepared = [_PREPARE[kind](reference[name], window[name]) for name, kind in kinds.items() if kind in _PREPARE]
    plain = [name for name, kind in kinds.items() if kind not in _PREPARE]
    tests = len(plain) * len(statistics) + len(prepared) * len(OF_TEXTS)
    report = partial(
        Comparison,
        reference_rows=reference.height,
        window_rows=window.height,
        false_alarm=false_alarm,
        notes=tuple(column.told.note for column in prepared if column.told.note),
    )
    draws = _draws(tests, false_alarm)
    deals = Deals(reference.height, window.height, draws, seed)
    found: list[Difference] = []
    for name in plain:
        side = _side(reference[name], window[name], deals)
        seen = [_seen((name, each), side, least[each]) for each in statistics]
        found += seen if time is not None else [_by_rows(each, side, deals, false_alarm) for each in seen]
    if time is None:
        dealing = by_rows(reference.height, window.height, int(np.clip(draws, *_GROUPED)), seed) if prepared else None
        for column in prepared:
            assert dealing is not None
            for each in measure(column, dealing, seed):
                chance, p_value = (
                    float(np.quantile(each.dealt[1:], 1 - false_alarm)),
                    place(each.dealt[0], each.dealt[1:]),
                )
                found.append(replace(_of_text(column, each, least), chance=chance, p_value=p_value))
        corrected = holm(np.array([each.p_value for each in found]))
        return report(differences=_ordered(_judged(found, corrected, false_alarm), names))
    dated = Dated(time, None if block is None else duration(block))
    said = judge_blocks(reference, window, product(plain, statistics), prepared, dated, seed)
    for column, measured in zip(prepared, said.further, strict=True):
        found += [_of_text(column, each, least) for each in measured]
    bounds = np.quantile(said.dealt, 1 - false_alarm, axis=0)
    found = [
        replace(each, chance=float(bound), p_value=float(p))
        for each, bound, p in zip(found, bounds, said.p_values, strict=True)
    ]
    return report(
        differences=_ordered(_judged(found, said.corrected, false_alarm), names),
        null=f"blocks of {said.length / HOUR:g} hours",
    )


def _of_text(column: Prepared, measured: Measured, least: Mapping[str, float]) -> Difference:
    before, now = column.null_shares
    return Difference(
        feature=column.name,
        statistic=measured.statistic,
        value=measured.value,
        effect=least.get(measured.statistic, EFFECTS[measured.statistic]),
        chance=float("nan"),
        p_value=1.0,
        reference_null_share=before,
        null_share=now,
        words=measured.words,
    )


def _ordered(found: tuple[Difference, ...], names: Sequence[str]) -> tuple[Difference, ...]:
    """As the columns stand."""
    place_of = {name: at for at, name in enumerate(names)}
    return tuple(sorted(found, key=lambda each: place_of[each.feature]))


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
