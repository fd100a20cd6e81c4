"""Rules of a delivery as a whole, from deliveries that were good: each is as tight as those were alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl

from drivetrain.core.clock import HOUR
from drivetrain.data.contract import Share
from drivetrain.data.drafting.rule import Floats, Rule, column, numbers, quoted, widened

LEAST_DELIVERIES = 4
LEAST_ROWS = 30
ALIKE = 4.0
"""Deliveries of which one has more than this many times the rows of another say nothing of the next."""
MOST_KNOWN = 300
"""Values that a rule lists at most."""
_TOGETHER = 0.8
_PROPORTIONAL = 0.95
_STEPS = 6
_FEW = 8
_ALIKE = 3
"""Counts of which one is more than this many times another say nothing of the next."""


def alike(parts: Sequence[pl.DataFrame]) -> bool:
    """Whether deliveries are enough, and enough alike, to say what the next one should be."""
    heights = [part.height for part in parts]
    return len(parts) >= LEAST_DELIVERIES and min(heights) >= LEAST_ROWS and max(heights) <= ALIKE * min(heights)


def volume(parts: Sequence[pl.DataFrame]) -> Share:
    """Multiples of the usual number of rows: half of the least that came, twice the most."""
    heights = np.array([part.height for part in parts]) / np.median([part.height for part in parts])
    return math.floor(50 * heights.min()) / 100, math.ceil(200 * heights.max()) / 100


def wanders(parts: Sequence[pl.Series]) -> bool:
    """Whether deliveries lie apart by half of what values within one do: the next may lie anywhere."""
    low, middle, high = np.array([np.nanquantile(numbers(part), (0.05, 0.5, 0.95)) for part in parts]).T
    return bool(np.ptp(middle) > 0.5 * np.median(high - low))


def complete(parts: Sequence[pl.Series]) -> float | None:
    """The least share of rows with a value; none where nearly all may be empty."""
    shares = [1 - part.null_count() / len(part) for part in parts]
    least = math.floor(100 * widened(shares, 0.05)[0]) / 100
    return least if least > 0 else None


def balance(parts: Sequence[pl.DataFrame], name: str) -> dict[str | int, Share]:
    """Value → the least and the greatest share of rows, for values that are frequent in every delivery."""
    shares = [dict(part[name].drop_nulls().value_counts(normalize=True).iter_rows()) for part in parts]
    found: dict[str | int, Share] = {}
    for value in sorted(shares[0]):
        seen = [one.get(value, 0.0) for one in shares]
        if min(seen) >= 0.05:
            low, high = widened(seen, 0.05)
            found[str(value)] = max(math.floor(100 * low) / 100, 0.0), min(math.ceil(100 * high) / 100, 1.0)
    return found


def unseen(parts: Sequence[pl.Series]) -> float:
    """The greatest share of a later delivery's rows whose value no earlier one had."""
    known: set[object] = set()
    worst = 0.0
    for at, part in enumerate(parts):
        values = part.drop_nulls()
        if at >= len(parts) // 2 and len(values):
            worst = max(worst, int((~values.is_in(list(known))).sum()) / len(values))
        known |= set(values.unique().to_list())
    return worst


def tables(parts: Sequence[pl.DataFrame], times: Iterable[str], apart: Iterable[str]) -> Iterator[Rule]:
    """Rules over all rows of a delivery.

    Args:
        parts: Good deliveries.
        times: Columns of moments.
        apart: Columns that other rules say all of.
    """
    for name in times:
        if isinstance(parts[0].schema[name], pl.Datetime):
            yield from _moments(parts, name)
    passed = {*times, *apart}
    names = [name for name, dtype in parts[0].schema.items() if name not in passed and dtype.is_numeric()]
    for name in names:
        yield from _different(parts, name)
    yield from _together(parts, names)


def known(parts: Sequence[pl.DataFrame], name: str, values: Sequence[str]) -> Rule | None:
    """The share of rows whose value is one of those seen; none where new ones keep coming."""
    worst = unseen([part[name] for part in parts])
    least = math.floor(100 * (1 - max(3 * worst, 0.02))) / 100
    if least < 0.5:
        return None
    listed = ", ".join(map(quoted, values))
    return Rule(
        f"{name}: {least:.0%} of the rows have a value that is known",
        pl.col(name).is_in(list(values)).mean() >= least,
        f"{column(name)}.is_in([{listed}]).mean() >= {least}",
    )


def _moments(parts: Sequence[pl.DataFrame], name: str) -> Iterator[Rule]:
    """The longest time without a row, and the time from the first row to the last, both in hours."""
    hours = [np.unique(numbers(part[name].drop_nulls())) / HOUR for part in parts]
    if any(len(one) < LEAST_ROWS for one in hours):
        return
    gaps = [np.diff(one) for one in hours]
    longest, spans = [one.max() for one in gaps], [one[-1] - one[0] for one in hours]
    usual = max(float(np.median(one)) for one in gaps)
    gap = math.ceil(max(max(longest) * 1.5 * (max(longest) / min(longest)), usual * _STEPS))
    short, long = math.floor(0.8 * min(spans)), math.ceil(1.25 * max(spans))
    if gap < min(spans):
        yield Rule(
            f"{name}: no {gap} hours without a row",
            pl.col(name).sort().diff().max() <= pl.duration(hours=gap),
            f"{column(name)}.sort().diff().max() <= pl.duration(hours={gap})",
        )
    if short:
        yield Rule(
            f"{name}: {short} to {long} hours from the first row to the last",
            (pl.col(name).max() - pl.col(name).min()).is_between(pl.duration(hours=short), pl.duration(hours=long)),
            f"({column(name)}.max() - {column(name)}.min()).is_between("
            f"pl.duration(hours={short}), pl.duration(hours={long}))",
        )


def _different(parts: Sequence[pl.DataFrame], name: str) -> Iterator[Rule]:
    """Fewest different values, and least share of values with a fraction."""
    counts = [part[name].drop_nulls().n_unique() for part in parts]
    least = math.ceil(min(counts) / 2)
    if least >= _FEW and max(counts) <= _ALIKE * min(counts):
        yield Rule(
            f"{name}: {least:,} different values or more",
            pl.col(name).n_unique() >= least,
            f"{column(name)}.n_unique() >= {least}",
        )
    if parts[0].schema[name].is_float():
        shares = [_broken(part[name].drop_nulls()) for part in parts]
        half = math.floor(50 * min(shares)) / 100
        if half >= 0.1 and max(part[name].null_count() / part.height for part in parts) < 0.5:
            yield Rule(
                f"{name}: {half:.0%} of the values have a fraction",
                (pl.col(name) != pl.col(name).round()).mean() >= half,
                f"({column(name)} != {column(name)}.round()).mean() >= {half}",
            )


def _broken(values: pl.Series) -> float:
    """The share of values with a fraction."""
    found = numbers(values)
    return float(np.mean(found != np.round(found))) if len(found) else 0.0


def _together(parts: Sequence[pl.DataFrame], names: Sequence[str]) -> Iterator[Rule]:
    """Columns that rise together in every delivery, and by what factor."""
    values = [{name: numbers(part[name]) for name in names} for part in parts]
    full = [name for name in names if min(1 - part[name].null_count() / part.height for part in parts) >= 0.5]
    for one, other in combinations(full, 2):
        pairs = [_both(part, one, other) for part in values]
        if any(pair.shape[1] < LEAST_ROWS or np.ptp(pair, axis=1).min() == 0 for pair in pairs):
            continue
        found = [float(np.corrcoef(left, right)[0, 1]) for left, right in pairs]
        if min(found) < _TOGETHER:
            continue
        least = math.floor(100 * widened(found, 0.1)[0]) / 100
        yield Rule(
            f"{one} and {other} rise together",
            pl.corr(one, other) >= least,
            f"pl.corr({quoted(one)}, {quoted(other)}) >= {least}",
        )
        if min(found) >= _PROPORTIONAL and all((pair > 0).all() for pair in pairs):
            ratios = [float(np.median(right / left)) for left, right in pairs]
            low, high = widened(ratios, 0.05 * min(ratios))
            low, high = _cut(low, math.floor), _cut(high, math.ceil)
            yield Rule(
                f"{other} is {low:g} to {high:g} times {one}, in the median",
                (pl.col(other) / pl.col(one)).median().is_between(low, high),
                f"({column(other)} / {column(one)}).median().is_between({low}, {high})",
            )


def _both(part: Mapping[str, Floats], one: str, other: str) -> Floats:
    pair = np.array([part[one], part[other]])
    return pair[:, ~np.isnan(pair).any(axis=0)]


def _cut(value: float, way: Callable[[float], int]) -> float:
    """A number of three digits, on the side that ``way`` rounds to."""
    factor = 10.0 ** (2 - math.floor(math.log10(abs(value)))) if value else 1.0
    return way(value * factor) / factor
