"""Relations of the columns of one row: order, arithmetic, values that are empty together, parts of a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, permutations

import numpy as np
import polars as pl

from drivetrain.data.drafting.rule import Floats, Rule, column, numbers, quoted

LEAST_ROWS = 500
"""Rows that must keep a relation before it is taken for one."""
LEAST_EMPTY = 10
CHANCE = 1e-6
"""How likely chance alone may explain that a column is empty wherever another is."""
PARTS = ("year", "month", "day", "hour")
_FACTORS = (1, 60, 100, 1000)
_SAMPLE = 500
_ZONES = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Europe/Helsinki", "Australia/Sydney", "Pacific/Auckland"),
)
"""Zones whose clocks are set forward, one for each way of doing so that many live by."""
_DAYLIGHT = 60
"""Minutes that clocks are set forward."""


def relations(frame: pl.DataFrame) -> Iterator[Rule]:
    """Every relation that all rows keep, and that says something."""
    if frame.height < LEAST_ROWS:
        return
    yield from _empty(frame)
    values = {name: numbers(series) for name, series in _varying(frame).items()}
    whole = {name: values[name] for name in values if frame.schema[name].is_integer()}
    yield from _arithmetic(whole)
    yield from _order(frame, values)


def parts(frame: pl.DataFrame) -> tuple[tuple[str, ...], Rule] | None:
    """Columns year, month, day and hour that say a moment of the same row in local time; and the rule that says so."""
    names = {name.lower(): name for name, dtype in frame.schema.items() if dtype.is_integer()}
    if not all(part in names for part in PARTS) or frame.height < LEAST_ROWS:
        return None
    own = tuple(names[part] for part in PARTS)
    for moment in (name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)):
        away = _away(frame, own, moment)
        if away:
            zone = _zone(frame, own, moment) if len(away) == 2 else None
            return own, _zone_rule(own, moment, zone) if zone else _away_rule(own, moment, away)
    return None


def _zone(frame: pl.DataFrame, own: tuple[str, ...], moment: str) -> str | None:
    """The zone whose clock the parts show in every row, of the few that most data are of."""
    some = frame.select(*own, moment).unique()
    for zone in _ZONES:
        kept = some.select(_zone_rule(own, moment, zone).expression).to_series()
        if kept.drop_nulls().all():
            return zone
    return None


def _zone_rule(own: tuple[str, ...], moment: str, zone: str) -> Rule:
    local = pl.col(moment).dt.convert_time_zone(zone)
    text = f"{column(moment)}.dt.convert_time_zone({quoted(zone)})"
    equal = ", ".join(f"{text}.dt.{part}() == {column(name)}" for part, name in zip(PARTS, own, strict=True))
    return Rule(
        f"{', '.join(own)} are those of {moment} in {zone}",
        pl.all_horizontal(getattr(local.dt, part)() == pl.col(name) for part, name in zip(PARTS, own, strict=True)),
        f"pl.all_horizontal({equal})",
    )


def _away(frame: pl.DataFrame, own: tuple[str, ...], moment: str) -> list[int]:
    """Minutes that the parts are from the moment: one number, or two where clocks are set forward; else none."""
    named = frame.select(*own, moment).drop_nulls()
    year, month, day, hour = (pl.col(name) for name in own)
    named = named.filter(
        year.is_between(1, 9999), month.is_between(1, 12), day.is_between(1, 28), hour.is_between(0, 23)
    )
    if not named.height:
        return []
    said = pl.datetime(*own, time_zone="UTC")
    found = named.select(((said - pl.col(moment).dt.truncate("1h")).dt.total_minutes()).unique()).to_series().to_list()
    if len(found) > 2 or max(found) - min(found) > _DAYLIGHT or any(abs(one) > 14 * 60 for one in found):
        return []
    # Where one is seen, the other half of the year may have another.
    return sorted(found) if len(found) == 2 else [found[0] - _DAYLIGHT, found[0], found[0] + _DAYLIGHT]


def _away_rule(own: tuple[str, ...], moment: str, away: list[int]) -> Rule:
    def one(minutes: int) -> pl.Expr:
        local = pl.col(moment) + pl.duration(minutes=minutes)
        return pl.all_horizontal(
            getattr(local.dt, part)() == pl.col(name) for part, name in zip(PARTS, own, strict=True)
        )

    equal = ", ".join(
        f"(pl.col({quoted(moment)}) + pl.duration(minutes=away)).dt.{part}() == {column(name)}"
        for part, name in zip(PARTS, own, strict=True)
    )
    hours = " or ".join(f"{minutes / 60:+g}" for minutes in away)
    return Rule(
        f"{', '.join(own)} are those of {moment}, {hours} hours from UTC",
        pl.any_horizontal(one(minutes) for minutes in away),
        f"pl.any_horizontal(pl.all_horizontal({equal}) for away in {tuple(away)})",
    )


def _varying(frame: pl.DataFrame) -> Mapping[str, pl.Series]:
    return {
        series.name: series
        for series in frame.iter_columns()
        if (series.dtype.is_numeric() or isinstance(series.dtype, pl.Datetime)) and series.drop_nulls().n_unique() > 2
    }


def _empty(frame: pl.DataFrame) -> Iterator[Rule]:
    """Columns that are empty in the same rows, and those that are empty wherever others are."""
    masks: dict[bytes, list[str]] = {}
    for series in frame.iter_columns():
        if LEAST_EMPTY <= series.null_count() < frame.height:
            masks.setdefault(series.is_null().to_numpy().tobytes(), []).append(series.name)
    for names in masks.values():
        if len(names) > 1:
            listed = ", ".join(map(quoted, names))
            yield Rule(
                f"{', '.join(names)} are empty together",
                pl.all_horizontal(pl.col(names).is_null()) == pl.any_horizontal(pl.col(names).is_null()),
                f"pl.all_horizontal(pl.col([{listed}]).is_null()) == pl.any_horizontal(pl.col([{listed}]).is_null())",
            )
    first = {names[0]: np.frombuffer(mask, np.bool_) for mask, names in masks.items()}
    for one, other in permutations(first, 2):
        rows, share = int(first[one].sum()), float(first[other].mean())
        implied = not (first[one] & ~first[other]).any()
        if implied and share**rows < CHANCE and not _between(first, one, other):
            yield Rule(
                f"{other} is empty where {one} is",
                pl.col(one).is_not_null() | pl.col(other).is_null(),
                f"{column(one)}.is_not_null() | {column(other)}.is_null()",
            )


def _between(masks: Mapping[str, np.ndarray[tuple[int], np.dtype[np.bool_]]], one: str, other: str) -> bool:
    """Whether a third column lies between two, so that two shorter rules say the same."""
    return any(
        not (masks[one] & ~mask).any() and not (mask & ~masks[other]).any()
        for name, mask in masks.items()
        if name not in (one, other)
    )


def _arithmetic(values: Mapping[str, Floats]) -> Iterator[Rule]:
    """Columns that are a multiple of one other and a third: hhmm of hours and minutes, a sum of its parts."""
    some = {name: numbers_[:: max(len(numbers_) // _SAMPLE, 1)] for name, numbers_ in values.items()}
    for name in values:
        for one, other in permutations(values, 2):
            if name in (one, other):
                continue
            for factor in _FACTORS if one < other else _FACTORS[1:]:
                if all(_sum(part[name], part[one], part[other], factor) for part in (some, values)):
                    said = f"{one} × {factor}" if factor > 1 else one
                    times = f" * {factor}" if factor > 1 else ""
                    yield Rule(
                        f"{name} is {said} + {other}",
                        pl.col(name) == pl.col(one) * factor + pl.col(other)
                        if factor > 1
                        else pl.col(name) == pl.col(one) + pl.col(other),
                        f"{column(name)} == {column(one)}{times} + {column(other)}",
                    )


def _sum(made: Floats, one: Floats, other: Floats, factor: int) -> bool:
    wanted = one * factor + other
    known = ~np.isnan(made) & ~np.isnan(wanted)
    return bool(known.sum() > LEAST_EMPTY and (made[known] == wanted[known]).all())


def _order(frame: pl.DataFrame, values: Mapping[str, Floats]) -> Iterator[Rule]:
    """Columns of which one is never above the other, though their ranges would let it be."""
    ends = {name: np.nanquantile(numbers_, (0.05, 0.95)) for name, numbers_ in values.items()}
    for one, other in combinations(values, 2):
        if isinstance(frame.schema[one], pl.Datetime) != isinstance(frame.schema[other], pl.Datetime):
            continue
        for less, more in ((one, other), (other, one)):
            known = ~np.isnan(values[less]) & ~np.isnan(values[more])
            overlap = ends[less][1] > ends[more][0]
            if known.sum() >= LEAST_ROWS and overlap and (values[less][known] <= values[more][known]).all():
                yield Rule(
                    f"{less} is at most {more}",
                    pl.col(less) <= pl.col(more),
                    f"{column(less)} <= {column(more)}",
                )
