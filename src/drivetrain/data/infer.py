"""A contract drafted from data: what a person would write down after looking, with what was seen beside it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations, pairwise

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros, iso, micros_of
from drivetrain.core.errors import SourceError
from drivetrain.data.breach import show
from drivetrain.data.casting import cast
from drivetrain.data.column import DTYPES, PRIVATE, Bound, Column, Privacy, TypeName
from drivetrain.data.drafting import relations
from drivetrain.data.drafting.deliveries import (
    LEAST_DELIVERIES,
    MOST_KNOWN,
    alike,
    balance,
    complete,
    known,
    tables,
    unseen,
    volume,
    wanders,
)
from drivetrain.data.drafting.draft import SLACK, Draft
from drivetrain.data.drafting.drift import drift

Classify = Callable[[str, pl.Series], Privacy | None]
"""(name, values without nulls) → the privacy class they look like, if any."""

MOST_OF_A_SET = 20
FITS = 0.98
"""A type or a range that fewer values fit is not drafted; the rest are told."""
MATCHES = 0.999
"""A pattern that fewer values match is not drafted."""
_ORDER: tuple[TypeName, ...] = ("int", "float", "bool", "date", "time")
_CODE = re.compile(r"0\d+")
_MISSING = ("na", "n/a", "nan", "null", "none", "nil", "-", "?")
_FENCE = 3.0
_KEY_COLUMNS = 14
_KEY_SAMPLE = 5_000
_KEYS_TOLD = 3
NEW = 1e-4
"""Values of which a greater share was new in some later delivery are no closed set."""
_RUNS = re.compile(r"[A-Z]+|[a-z]+|[0-9]+|.", re.DOTALL)
_LONGEST_PATTERN = 12


@dataclass
class _Found:
    column: Column
    told: list[str] = field(default_factory=list)


def infer(
    frame: pl.DataFrame,
    classify: Classify | None = None,
    *,
    deliveries: Sequence[int] = (),
    now: Micros | None = None,
) -> Draft:
    """Drafts a contract.

    Args:
        frame: Rows as they came; text is looked at for what it may be.
        classify: Says which columns look personal.
        deliveries: How many rows each delivery brought, in their order. Where there are a few that are alike, the
            draft says too what the next one must be as a whole.
        now: The present moment; where the newest rows are of it, the draft says how old they may be.

    Raises:
        SourceError: There is no row to look at.
    """
    if not frame.height:
        raise SourceError("there are no rows to draft a contract from", do="Deliver some, then try again")
    found: dict[str, _Found] = {}
    values: list[pl.Series] = []
    for series in frame.iter_columns():
        if series.name.startswith("_"):
            continue
        kind, left = _type(series)
        typed = cast(series.to_frame(), {series.name: DTYPES[kind]})[0].to_series()
        made = _Found(Column(kind))
        if left:
            made.told.append(f"{left} is no {kind}")
        values.append(typed)
        privacy = classify(series.name, typed.drop_nulls()) if classify else None
        if privacy is not None:
            made.column = replace(made.column, privacy=privacy)
        found[series.name] = made
    rows = pl.DataFrame(values)
    parts = _parts(rows, deliveries)
    said = relations.parts(rows)
    for name, made in found.items():
        _look(made, [part[name] for part in parts], said=said is not None and name in said[0])
        if made.column.privacy != "internal":
            made.told.append(f"looks {made.column.privacy}")
    times = sorted(
        (name for name, one in found.items() if one.column.type in ("time", "date")),
        key=lambda name: not found[name].column.increasing,
    )
    keys = _keys(rows)
    open_ = [name for name, one in found.items() if one.column.privacy not in PRIVATE]
    draft = Draft(
        {name: one.column for name, one in found.items()},
        {name: "; ".join(one.told) for name, one in found.items()},
        keys,
        tuple(times),
        rows.height,
        len(parts),
        checks=(*([said[1]] if said else []), *relations.relations(rows)),
    )
    if not alike(parts):
        return draft
    return _of_deliveries(draft, [part.select(open_) for part in parts], said[0] if said else (), now)


def _parts(rows: pl.DataFrame, deliveries: Sequence[int]) -> list[pl.DataFrame]:
    """The rows of each delivery that brought any."""
    if sum(deliveries) != rows.height:
        return [rows]
    ends = np.cumsum(deliveries).tolist()
    return [rows[end - height : end] for end, height in zip(ends, deliveries, strict=True) if height]


def _of_deliveries(draft: Draft, parts: list[pl.DataFrame], said: Sequence[str], now: Micros | None) -> Draft:
    """The draft with rules of a delivery as a whole."""
    kinds = {name: draft.columns[name] for name in parts[0].columns}
    texts = [name for name, column in kinds.items() if column.type == "string"]
    sets = [name for name in texts if kinds[name].among]
    times = [name for name in draft.times if name in kinds]
    rules = list(tables(parts, times, said))
    for name in texts:
        seen = sorted(pl.concat([part[name] for part in parts]).drop_nulls().unique().to_list())
        rule = known(parts, name, seen) if name not in sets and len(seen) <= MOST_KNOWN else None
        rules += [rule] if rule and len(seen) > 1 else []
    apart = {*draft.times, *said, *(key[0] for key in draft.keys if len(key) == 1)}
    return replace(
        draft,
        tables=tuple(rules),
        balance={name: shares for name in sets if (shares := balance(parts, name))},
        volume=volume(parts),
        drift=drift(parts, [name for name in kinds if name not in apart]),
        freshness=_freshness(parts, times, now),
    )


def _freshness(parts: list[pl.DataFrame], times: Sequence[str], now: Micros | None) -> str | None:
    """Twice the longest step from delivery to delivery, in days, where what was seen is not older itself."""
    moments = [name for name in times if isinstance(parts[0].schema[name], pl.Datetime)]
    if now is None or not moments:
        return None
    newest = [micros_of(last) for part in parts if isinstance(last := part[moments[0]].max(), datetime)]
    steps = [after - before for before, after in pairwise(newest)]
    if not steps or min(steps) <= 0:
        return None
    days = math.ceil(2 * max(steps) / DAY)
    return f"{days}d" if now - newest[-1] <= days * DAY else None


def _type(series: pl.Series) -> tuple[TypeName, str]:
    """The type that nearly all values have, and how many have not, with an example."""
    if series.dtype != pl.String:
        dtype = series.dtype
        kinds: list[tuple[bool, TypeName]] = [
            (dtype.is_integer() or isinstance(dtype, pl.Duration), "int"),
            (dtype.is_float() or isinstance(dtype, pl.Decimal), "float"),
            (dtype == pl.Boolean, "bool"),
            (isinstance(dtype, pl.Datetime), "time"),
            (dtype == pl.Date, "date"),
        ]
        return next((kind for fits, kind in kinds if fits), "string"), ""
    text = series.drop_nulls()
    text = text.filter(text.str.strip_chars() != "")
    missing = text.filter(text.str.strip_chars().str.to_lowercase().is_in(_MISSING))
    text = text.filter(~text.str.strip_chars().str.to_lowercase().is_in(_MISSING))
    if not len(text) or (text.str.contains(f"^{_CODE.pattern}$")).any():
        return "string", ""
    for kind in _ORDER:
        made, breaches = cast(text.to_frame(), {text.name: DTYPES[kind]})
        bad = breaches[0].rows if breaches else None
        wrong = int(bad.sum()) if bad is not None else 0
        if wrong <= (1 - FITS) * len(text) and made.to_series().drop_nulls().len():
            example = show(text.filter(bad)[0]) if bad is not None and wrong else ""
            told = [f"{wrong:,} of {len(text):,}, such as {example}"] if wrong else []
            if len(missing):
                told.append(f'{show(missing[0])} ({len(missing):,} times; read with nulls=["{missing[0]}"])')
            return kind, " and ".join(told)
    return "string", ""


def _look(made: _Found, parts: Sequence[pl.Series], *, said: bool) -> None:
    """Drafts the rules of a column from the values of each delivery; ``said`` where another rule says all of it."""
    typed = parts[0] if len(parts) == 1 else pl.concat(list(parts))
    values = typed.drop_nulls()
    share = len(values) / max(len(typed), 1)
    if len(values) == len(typed):
        made.column = replace(made.column, nullable=False)
    else:
        made.told.append(f"{1 - share:.1%} empty")
        if len(parts) >= LEAST_DELIVERIES:
            made.column = replace(made.column, complete=complete(parts))
        elif share > 0.5:
            made.column = replace(made.column, complete=max(math.floor((share - 0.05) * 100), 0) / 100)
    if not len(values) or said:
        return
    if made.column.type in ("int", "float"):
        _range(made, values, [part.filter(part.is_finite()) for part in parts])
    elif made.column.type in ("time", "date"):
        _moments(made, values)
    elif made.column.type == "string":
        _text(made, values, parts)


def _range(made: _Found, values: pl.Series, parts: Sequence[pl.Series]) -> None:
    finite = values.filter(values.is_finite()) if values.dtype.is_float() else values
    if not len(finite):
        return
    first, last = (float(finite.quantile(share, "nearest") or 0) for share in (0.01, 0.99))
    # A few values far beyond all others are more likely to stand for something else than to be measured.
    reach = _FENCE * max(last - first, 1.0)
    inside = finite.filter(finite.is_between(first - reach, last + reach))
    outside = finite.filter(~finite.is_between(first - reach, last + reach))
    if len(inside) < FITS * len(finite):
        inside, outside = finite, finite.clear()
    low, high = (float(end) for end in (inside.min(), inside.max()) if isinstance(end, int | float))
    made.told.append(f"seen {_figure(low)} to {_figure(high)}")
    if len(outside):
        made.told.append(f"beside {len(outside):,} far from all others, such as {_figure(float(outside[0]))}")
    below, above = _room(parts, low, high)
    # Where a few values lie far out, the next of them may lie as far out again.
    below, above = max(below, first - low), max(above, high - last)
    if not (math.isfinite(low - below) and math.isfinite(high + above)):
        return
    whole = made.column.type == "int"
    if whole and (low, high) == (0, 1):
        below = above = 0.0  # a flag has no third value
    least = 0.0 if 0 <= low <= below else low - below
    bounds: tuple[Bound, Bound] = (
        (math.floor(least), math.ceil(high + above))
        if whole
        else (_round(least, below, -1), _round(high + above, above, 1))
    )
    rises = len(parts) >= LEAST_DELIVERIES and all(
        len(before) and len(after) and bool((after > before.max()).all()) for before, after in pairwise(parts)
    )
    if rises:
        made.told.append("rises with every delivery")
    made.column = replace(made.column, low=bounds[0], high=None if rises else bounds[1])


def _room(parts: Sequence[pl.Series], low: float, high: float) -> tuple[float, float]:
    """How far below and above what was seen is allowed: a share of it, or as far as it grew in the later half.

    Where each delivery lies elsewhere, what was seen says as much of the next as a few values do: it gets as much room.
    """
    room = SLACK * (high - low)
    parts = [part for part in parts if len(part)]
    if len(parts) < LEAST_DELIVERIES:
        return room, room
    if wanders(parts):
        return high - low, high - low
    early = pl.concat(list(parts[: len(parts) // 2]))
    early = early.filter(early.is_between(low, high))
    ends = [float(end) for end in (early.min(), early.max()) if isinstance(end, int | float)]
    return (max(room, ends[0] - low), max(room, high - ends[1])) if ends else (room, room)


def _moments(made: _Found, values: pl.Series) -> None:
    low, high = values.min(), values.max()
    told = [iso(micros_of(end)) if isinstance(end, datetime) else str(end) for end in (low, high)]
    made.told.append(f"seen {told[0]} to {told[1]}")
    if len(values) > 1 and values.is_sorted() and low != high:
        made.column = replace(made.column, increasing=True)
        made.told.append("in order of arrival")


def _text(made: _Found, values: pl.Series, parts: Sequence[pl.Series]) -> None:
    distinct = values.unique()
    closed = len(parts) < LEAST_DELIVERIES or unseen(parts) <= NEW
    if len(distinct) <= MOST_OF_A_SET and len(values) >= 10 * len(distinct) and closed:
        made.column = replace(made.column, among=tuple(sorted(distinct.to_list())))
        return
    made.told.append(f"{len(distinct):,} different")
    pattern = _pattern(distinct)
    if pattern is not None:
        fits = int(values.str.contains(pattern).sum())
        if fits >= MATCHES * len(values):
            made.column = replace(made.column, pattern=pattern)
            if fits < len(values):
                odd = values.filter(~values.str.contains(pattern))[0]
                made.told.append(f"{len(values) - fits:,} look otherwise, such as {show(odd)}")


def _pattern(distinct: pl.Series) -> str | None:
    """The form that nearly all values share: runs of letters, digits and signs, each with its lengths."""
    some = distinct.sort()[:: max(len(distinct) // 20_000, 1)].to_list()
    forms: dict[tuple[str, ...], list[list[str]]] = {}
    for value in some:
        runs = _RUNS.findall(value)
        if len(runs) <= _LONGEST_PATTERN:
            forms.setdefault(tuple(map(_kind, runs)), []).append(runs)
    if not forms:
        return None
    form, fitting = max(forms.items(), key=lambda item: len(item[1]))
    if len(fitting) >= FITS * len(some) and any(kind in _KINDS for kind in form):
        return (
            f"^{''.join(_span(kind, list(runs)) for kind, runs in zip(form, zip(*fitting, strict=True), strict=True))}$"
        )
    # Codes mix letters and digits anywhere: what they begin with is known then, their letters, and their lengths.
    codes = [value for value in some if re.fullmatch("[A-Z0-9]+", value)]
    if len(codes) < FITS * len(some) or max(map(len, codes)) > 2 * _LONGEST_PATTERN:
        return None
    start, count = Counter(value[0] for value in codes).most_common(1)[0]
    begin = start if count >= FITS * len(some) and start.isalpha() else ""
    sizes = [len(value) - len(begin) for value in codes if value.startswith(begin)]
    return f"^{begin}[A-Z0-9]{_lengths(min(sizes), max(sizes))}$"


_KINDS = ("[A-Z]", "[a-z]", "[0-9]")


def _kind(run: str) -> str:
    known = next((kind for kind in _KINDS if re.match(kind, run)), None)
    return known or re.escape(run)


def _span(kind: str, runs: Sequence[str]) -> str:
    """A run of each value: the text that all of them have, or the kind of its letters and their lengths."""
    if len(set(runs)) == 1 and len(runs) > 1:
        return re.escape(runs[0])
    return kind if kind not in _KINDS else kind + _lengths(min(map(len, runs)), max(map(len, runs)))


def _lengths(low: int, high: int) -> str:
    if low == high:
        return "" if low == 1 else f"{{{low}}}"
    return f"{{{low},{high}}}"


def _keys(frame: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    """The fewest columns that name every row; of several, first those with the fewest values."""
    whole = [name for name in frame.columns if not frame[name].null_count() and frame.schema[name] != pl.Float64]
    counts = {name: frame[name].n_unique() for name in whole}
    single = [(name,) for name in whole if counts[name] == frame.height]
    if single:
        return tuple(single)
    best = sorted((name for name in whole if counts[name] > 1), key=lambda name: -counts[name])[:_KEY_COLUMNS]
    best = [name for name in frame.columns if name in best]
    some = frame.head(_KEY_SAMPLE)
    for size in (2, 3):
        found = [
            names
            for names in combinations(best, size)
            if math.prod(counts[name] for name in names) >= frame.height
            and not some.select(names).is_duplicated().any()
            and not frame.select(names).is_duplicated().any()
        ]
        if found:
            return tuple(sorted(found, key=lambda names: math.prod(counts[name] for name in names))[:_KEYS_TOLD])
    return ()


def _figure(value: float) -> str:
    if value != round(value):
        return f"{value:.6g}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"


def _round(value: float, room: float, way: int) -> float:
    """A value with few digits, on the far side of it; as it is where it has none to spare."""
    if room <= 0:
        return value
    factor = 10.0 ** min(1 - math.floor(math.log10(room)), 300)
    scaled = value * factor
    if not abs(scaled) < 2**52:
        return value
    rounded = (math.ceil(scaled) if way > 0 else math.floor(scaled)) / factor
    return rounded if math.isfinite(rounded) else value
