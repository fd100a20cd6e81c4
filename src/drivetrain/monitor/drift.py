"""Whether a window's rows are unlike what the model was trained on, beyond chance and beyond the seasons it has seen.

A week is always unlike the months around it: within the flights' own training months a week's temperature stands at a
PSI of 3 to 7 from the rest. A fixed bound cries wolf. So a window is compared with stretches of the reference as long
as itself, and its value is the distance to the **most similar** one: a season that was seen before has one nearby, a
season that was not has none. How far apart similar stretches lie when nothing changed is what the reference's own
stretches show, each against the most similar other: their logarithms give an upper prediction bound for one more
(Student's t, the false-alarm rate split over the columns). That bound is then put to the reference itself: each stretch
is held against all others as if it were the window, and where more of them than the stated rate would have been called
drifted in any column, the bound is raised in all columns until no more are (Westfall and Young's step, with stretches
for permutations). From m stretches no rate below 1 / (m + 1) can be promised. Fewer rows than a stretch add their
sampling error.

A reference too short for six such stretches is compared with as a whole, against what shorter stretches of it do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.records import FeatureDrift
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import t_quantile, t_tail
from drivetrain.monitor.column import Column
from drivetrain.monitor.distance import distance, noise
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.statistics.null import root_area
from drivetrain.monitor.statistics.shares import shares
from drivetrain.monitor.statistics.statistic import statistic_of

MIN_SEGMENTS = 6
_LEAST = 1e-9
_LUCK = 0.5
"""Share of the usual distance between stretches below which, of few stretches, they are not told apart any further."""


class Null(msgspec.Struct, frozen=True):
    """What a statistic does when nothing changed, on its open scale, from ``count`` stretches."""

    centre: float
    spread: float
    """Standard deviation of one more."""
    count: int
    rows: float
    """Rows of a typical stretch."""
    excess: Floats
    """Each stretch against all others: how many standard deviations it stands out."""


class Manner(NamedTuple):
    """How a column of two sides is compared.

    Attributes:
        between: The distance of two sides, shape (…, parts) each.
        effect: Smallest value that may count as drift.
        bounded: Whether it is at most 1.
        rows: Which part says how many rows there are; their sum if none.
        apart: As of :func:`measure_counts`.
    """

    between: Callable[[Floats, Floats], Floats]
    effect: float
    bounded: bool
    rows: int | None = None
    apart: bool = False


def measure_drift(
    reference: Reference,
    values: Floats,
    predictions: Floats,
    *,
    days: int,
    statistic: str,
    effect: float,
    false_alarm: float,
    features: frozenset[str] = frozenset(),
    withheld: frozenset[str] = frozenset(),
    apart: bool = False,
) -> tuple[tuple[FeatureDrift, ...], FeatureDrift]:
    """Compares a window with the reference.

    Args:
        reference: What the version was trained on.
        values: The window's encoded rows, shape (n, fields) in the reference's order; n > 0.
        predictions: Its predictions, shape (n,).
        days: Length of the window.
        statistic: Its name, as in :func:`~drivetrain.monitor.distance.distance`.
        effect: Smallest value that may count as drift.
        false_alarm: Probability that anything at all is called drifted when nothing changed.
        features: Watch only these; all if empty.
        withheld: Never watch these: the window's rows lack their values.
        apart: As of :func:`measure_counts`.

    Returns:
        Each watched feature, furthest beyond its threshold first; and the predictions.
    """
    counts = [
        column.histogram(np.ascontiguousarray(values[:, at])) if _watches(column, features, withheld) else None
        for at, column in enumerate(reference.columns)
    ]
    return measure_counts(
        reference,
        [*counts, reference.output.histogram(predictions)],
        days=days,
        statistic=statistic,
        effect=effect,
        false_alarm=false_alarm,
        apart=apart,
    )


def measure_counts(
    reference: Reference,
    counts: Sequence[Floats | None],
    *,
    days: int,
    statistic: str,
    effect: float,
    false_alarm: float,
    apart: bool = False,
) -> tuple[tuple[FeatureDrift, ...], FeatureDrift]:
    """:func:`measure_drift` of a window of which only its histograms are known, such as one merged from sketches.

    Args:
        reference: What the version was trained on.
        counts: The window's histogram over each column's bins, in the reference's order, none where it is not watched;
            and over those of the predictions.
        days: Length of the window.
        statistic: Its name.
        effect: Smallest value that may count as drift.
        false_alarm: Probability that anything at all is called drifted when nothing changed.
        apart: Whether a stretch of the reference that stands out in one column raises the threshold of that column
            alone. Of a reference of few stretches, one such would else blind all others.
    """
    near, segments = cut_up(reference, days)
    seen = [
        (column, seen, *_compare(column, seen, segments, near=near, statistic=statistic, effect=effect, apart=apart))
        for column, seen in zip([*reference.columns, reference.output], counts, strict=True)
        if seen is not None
    ]
    alpha = false_alarm / len(seen)
    together = reach_of([null for *_, null in seen if null is not None], alpha, false_alarm)
    found = []
    for column, here, value, null in seen:
        rows = float(here.sum())
        total = np.asarray(column.counts, np.float64).sum(axis=0)
        spread = _spread(column, total, statistic)
        if null is None:
            chance = noise(statistic, column.width, 1 / rows + 1 / reference.rows, alpha, spread)
            p_value = None
        else:
            reach = reach_of([null], alpha, false_alarm) if apart else together
            extra = noise(statistic, column.width, 1 / rows - 1 / null.rows, alpha, spread)
            how = statistic_of(statistic)
            chance, p_value = threshold_of(null, value, reach, extra, rooted=how.rooted, bounded=how.bounded)
        found.append(
            FeatureDrift(
                feature=column.name,
                statistic=statistic,
                value=value,
                threshold=max(effect, chance),
                drifted=value > max(effect, chance),
                null_share=float(here[-1] / rows),
                reference_null_share=float(total[-1] / total.sum()),
                count=int(rows),
                p_value=p_value,
            )
        )
    *inputs, output = found
    return tuple(sorted(inputs, key=lambda drift: -drift.value / max(drift.threshold, _LEAST))), output


def _watches(column: Column, features: frozenset[str], withheld: frozenset[str]) -> bool:
    return (not features or column.name in features) and column.name not in withheld


def _spread(column: Column, total: Floats, statistic: str) -> float | None:
    widths = column.widths
    return None if widths is None else root_area(np.minimum(np.cumsum(shares(total)), 1.0), widths, statistic)


def comparable(reference: Reference, days: int) -> bool:
    """Whether the reference holds enough stretches of ``days`` days to compare a window with the most similar one."""
    return bool(reference.segments(days).max() + 1 >= MIN_SEGMENTS)


def whole_days(since: Micros, until: Micros) -> int:
    """Length of a window in days, at least one."""
    return max(round((until - since) / DAY), 1)


def cut_up(reference: Reference, days: int) -> tuple[bool, npt.NDArray[np.intp]]:
    """Stretches as long as the window where there are enough, else the longest shorter ones that are."""
    length = days
    while length > 1 and not comparable(reference, length):
        length //= 2
    return length == days and comparable(reference, days), reference.segments(length)


def _compare(
    column: Column,
    counts: Floats,
    segments: npt.NDArray[np.intp],
    *,
    near: bool,
    statistic: str,
    effect: float,
    apart: bool,
) -> tuple[float, Null | None]:
    bounded = statistic_of(statistic).bounded
    manner = Manner(partial(distance, statistic, widths=column.widths), effect, bounded=bounded, apart=apart)
    return stand(np.asarray(column.counts, np.float64), counts, segments, manner, near=near)


def stand(
    by_day: Floats, seen: Floats, segments: npt.NDArray[np.intp], manner: Manner, *, near: bool
) -> tuple[float, Null | None]:
    """How far a window is from the reference, and what the reference's own stretches do.

    Args:
        by_day: What is added up over days, shape (days, parts).
        seen: The window's, shape (parts,).
        segments: Stretch of each day.
        manner: How two sides are compared.
        near: Whether the most similar stretch counts, or all of them together.

    Returns:
        The distance; and none where there are too few stretches.
    """
    number = int(segments.max()) + 1
    stretches = np.zeros((number, by_day.shape[1]))
    np.add.at(stretches, segments[segments >= 0], by_day[segments >= 0])
    total = by_day.sum(axis=0)
    if near:
        between = manner.between(stretches[:, None, :], stretches[None, :, :])
        np.fill_diagonal(between, np.inf)
        usual = between.min(axis=1)
        value = float(manner.between(stretches, seen).min())
    else:
        between = None
        usual = manner.between(stretches, total - stretches)
        value = float(manner.between(total, seen))
    if number < MIN_SEGMENTS:
        return value, None
    if manner.apart:
        # Two of few stretches, alike to the row by luck, would say on a logarithm that chance reaches anywhere.
        floor = _LUCK * float(np.median(usual))
        usual = np.maximum(usual, floor)
        between = None if between is None else np.maximum(between, floor)
    scaled = _open(usual, bounded=manner.bounded)
    spread = max(float(scaled.std(ddof=1)), _LEAST) * math.sqrt(1 + 1 / number)
    rows = float(np.median(stretches.sum(axis=1) if manner.rows is None else stretches[:, manner.rows]))
    # What stays below the effect size is never called drifted, however far it stands out.
    excess = np.where(usual > manner.effect, _excess(usual, between, bounded=manner.bounded), -np.inf)
    return value, Null(float(scaled.mean()), spread, number, rows, excess)


def _excess(usual: Floats, between: Floats | None, *, bounded: bool) -> Floats:
    """How far each stretch stands out from what all others do without it."""
    number = len(usual)
    others = np.tile(usual, (number, 1))
    if between is not None:
        # Without stretch i, one whose nearest was i falls back on its second nearest.
        nearest = between.argmin(axis=1)
        second = np.partition(between, 1, axis=1)[:, 1]
        others[nearest, np.arange(number)] = second
    scaled = _open(others, bounded=bounded)
    np.fill_diagonal(scaled, np.nan)
    spread = np.maximum(np.nanstd(scaled, axis=1, ddof=1), _LEAST) * math.sqrt(1 + 1 / (number - 1))
    return np.asarray((_open(usual, bounded=bounded) - np.nanmean(scaled, axis=1)) / spread, np.float64)


def reach_of(nulls: list[Null], alpha: float, false_alarm: float) -> float:
    """Standard deviations a window may stand out by: Student's t, or what the reference's own stretches need."""
    if not nulls:
        return 0.0
    count = nulls[0].count
    worst = np.sort(np.max([null.excess for null in nulls], axis=0))
    # Were the window one more stretch, it would be among the k + 1 most extreme of n + 1 with chance (k + 1) / (n + 1).
    allowed = max(math.floor(false_alarm * (count + 1)) - 1, 0)
    return max(t_quantile(1 - alpha, count - 1), float(worst[count - 1 - allowed]))


def threshold_of(
    null: Null, value: float, reach: float, extra: float, *, rooted: bool, bounded: bool
) -> tuple[float, float]:
    """What chance may reach, and the probability by Student's t, not corrected, that it exceeds ``value``."""
    bound = _shut(null.centre + reach * null.spread, bounded=bounded)
    net = math.sqrt(max(value**2 - extra**2, 0.0)) if rooted else value - extra
    place = float(_open(np.asarray([max(net, _LEAST)]), bounded=bounded)[0])
    return math.hypot(bound, extra) if rooted else bound + extra, t_tail(
        (place - null.centre) / null.spread, null.count - 1
    )


def _open(values: Floats, *, bounded: bool) -> Floats:
    """What lives above 0, as PSI, and what between 0 and 1, as KS: logarithm and logit open both."""
    held = np.maximum(values, _LEAST)
    if not bounded:
        return np.log(held)
    held = np.minimum(held, 1 - _LEAST)
    return np.log(held) - np.log1p(-held)


def _shut(value: float, *, bounded: bool) -> float:
    if not bounded:
        return math.exp(min(value, 50.0))
    return 1.0 / (1.0 + math.exp(-max(min(value, 50.0), -50.0)))
