"""A contract drafted from data: what a person would write down after looking, with what was seen beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations

import polars as pl

from drivetrain.core.clock import iso, micros_of
from drivetrain.core.errors import SourceError
from drivetrain.data.breach import show
from drivetrain.data.casting import cast
from drivetrain.data.column import DTYPES, Bound, Column, Privacy, TypeName

Classify = Callable[[str, pl.Series], Privacy | None]
"""(name, values without nulls) → the privacy class they look like, if any."""

SLACK = 0.1
"""Ranges are drafted wider than what was seen by this share of it, on either side."""
MOST_OF_A_SET = 20
FITS = 0.98
"""A type, a pattern or a range that fewer values fit is not drafted; the rest are told."""
_ORDER: tuple[TypeName, ...] = ("int", "float", "bool", "date", "time")
_CODE = re.compile(r"0\d+")
_MISSING = ("na", "n/a", "nan", "null", "none", "nil", "-", "?")
_FENCE = 3.0
_KEY_COLUMNS = 8
_RUNS = re.compile(r"[A-Z]+|[a-z]+|[0-9]+|.", re.DOTALL)
_LONGEST_PATTERN = 12


@dataclass(frozen=True)
class Draft:
    """A drafted contract.

    Attributes:
        columns: Name → rules.
        notes: Name → what was seen, and what the rules leave out.
        keys: Columns, or the fewest together, whose values name every row that was seen.
        times: Columns that may be the event's time; those in order of arrival first.
        rows: How many rows were seen.
    """

    columns: dict[str, Column]
    notes: dict[str, str]
    keys: tuple[tuple[str, ...], ...] = ()
    times: tuple[str, ...] = ()
    rows: int = 0


@dataclass
class _Found:
    column: Column
    told: list[str] = field(default_factory=list)


def infer(frame: pl.DataFrame, classify: Classify | None = None) -> Draft:
    """Drafts a contract.

    Args:
        frame: Rows as they came; text is looked at for what it may be.
        classify: Says which columns look personal.

    Raises:
        SourceError: There is no row to look at.
    """
    if not frame.height:
        raise SourceError("there are no rows to draft a contract from", do="Deliver some, then try again")
    found: dict[str, _Found] = {}
    values: dict[str, pl.Series] = {}
    for series in frame.iter_columns():
        if series.name.startswith("_"):
            continue
        kind, left = _type(series)
        typed = cast(series.to_frame(), {series.name: DTYPES[kind]})[0].to_series()
        made = _Found(Column(kind))
        if left:
            made.told.append(f"{left} is no {kind}")
        values[series.name] = typed
        _look(made, typed)
        privacy = classify(series.name, typed.drop_nulls()) if classify else None
        if privacy is not None:
            made.column = replace(made.column, privacy=privacy)
            made.told.append(f"looks {privacy}")
        found[series.name] = made
    times = sorted(
        (name for name, one in found.items() if one.column.type in ("time", "date")),
        key=lambda name: not found[name].column.increasing,
    )
    return Draft(
        {name: one.column for name, one in found.items()},
        {name: "; ".join(one.told) for name, one in found.items()},
        _keys(pl.DataFrame(list(values.values()))),
        tuple(times),
        frame.height,
    )


def as_python(draft: Draft, name: str) -> str:
    """The draft as Python to paste."""
    lines = [f"# drafted from {draft.rows:,} rows; ranges are {SLACK:.0%} wider on either side than what was seen"]
    keys = " or ".join(f'"{key[0]}"' if len(key) == 1 else str(list(key)).replace("'", '"') for key in draft.keys)
    lines.append(f"# key: {keys or 'no column, nor three of them, names every row'}")
    if draft.times:
        lines.append(f"# time: {' or '.join(_quoted(one) for one in draft.times)}")
    spelled = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    lines.append(f"{spelled if spelled.isidentifier() else f'DATA_{spelled}'.rstrip('_')} = dt.Contract(")
    lines.append("    {")
    for column, rules in draft.columns.items():
        told = draft.notes[column].replace("\n", " ")
        lines.append(
            f"        {_quoted(column)}: dt.Column({', '.join(_arguments(rules))}),{f'  # {told}' if told else ''}"
        )
    lines += ["    }", ")"]
    return "\n".join(lines) + "\n"


def _arguments(rules: Column) -> Iterator[str]:
    yield _quoted(rules.type)
    if not rules.nullable:
        yield "nullable=False"
    if rules.complete is not None:
        yield f"complete={rules.complete:g}"
    for word in ("low", "high"):
        bound = getattr(rules, word)
        if bound is not None:
            yield f"{word}={_quoted(bound) if isinstance(bound, str) else f'{bound!r}'}"
    if rules.among:
        yield f"among=({', '.join(_quoted(str(one)) for one in rules.among)},)"
    if rules.pattern is not None:
        yield f"pattern={_quoted(rules.pattern)}"
    if rules.unique:
        yield "unique=True"
    if rules.increasing:
        yield "increasing=True"
    if rules.privacy != "internal":
        yield f"privacy={_quoted(rules.privacy)}"


def _quoted(text: str) -> str:
    made = repr(text)
    return made if made.startswith('"') or '"' in text else f'"{made[1:-1]}"'.replace("\\'", "'")


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


def _look(made: _Found, typed: pl.Series) -> None:
    values = typed.drop_nulls()
    share = len(values) / max(len(typed), 1)
    if len(values) == len(typed):
        made.column = replace(made.column, nullable=False)
    else:
        made.told.append(f"{1 - share:.1%} empty")
        if share > 0.5:
            made.column = replace(made.column, complete=max(math.floor((share - 0.05) * 100), 0) / 100)
    if not len(values):
        return
    if made.column.type in ("int", "float"):
        _range(made, values)
    elif made.column.type in ("time", "date"):
        _moments(made, values)
    elif made.column.type == "string":
        _text(made, values)


def _range(made: _Found, values: pl.Series) -> None:
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
    room = SLACK * (high - low)
    if not (math.isfinite(low - room) and math.isfinite(high + room)):
        return
    least = 0.0 if 0 <= low <= room else low - room
    whole = made.column.type == "int"
    bounds: tuple[Bound, Bound] = (
        (math.floor(least), math.ceil(high + room))
        if whole
        else (_round(least, room, -1), _round(high + room, room, 1))
    )
    made.column = replace(made.column, low=bounds[0], high=bounds[1])


def _moments(made: _Found, values: pl.Series) -> None:
    low, high = values.min(), values.max()
    told = [iso(micros_of(end)) if isinstance(end, datetime) else str(end) for end in (low, high)]
    made.told.append(f"seen {told[0]} to {told[1]}")
    if len(values) > 1 and values.is_sorted() and low != high:
        made.column = replace(made.column, increasing=True)
        made.told.append("in order of arrival")


def _text(made: _Found, values: pl.Series) -> None:
    distinct = values.unique()
    if len(distinct) <= MOST_OF_A_SET and len(values) >= 10 * len(distinct):
        made.column = replace(made.column, among=tuple(sorted(distinct.to_list())))
        return
    made.told.append(f"{len(distinct):,} different")
    pattern = _pattern(distinct)
    if pattern is not None:
        fits = int(values.str.contains(pattern).sum())
        if fits >= FITS * len(values):
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
    # Codes mix letters and digits anywhere: their letters are known then, and their lengths.
    sizes = [len(value) for value in some if re.fullmatch("[A-Z0-9]+", value)]
    if len(sizes) >= FITS * len(some) and max(sizes) <= 2 * _LONGEST_PATTERN:
        return f"^[A-Z0-9]{_lengths(min(sizes), max(sizes))}$"
    return None


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
    whole = [name for name in frame.columns if not frame[name].null_count() and frame.schema[name] != pl.Float64]
    counts = {name: frame[name].n_unique() for name in whole}
    single = [(name,) for name in whole if counts[name] == frame.height]
    if single:
        return tuple(single)
    best = sorted((name for name in whole if counts[name] > 1), key=lambda name: -counts[name])[:_KEY_COLUMNS]
    best = [name for name in frame.columns if name in best]
    for size in (2, 3):
        found = tuple(
            names
            for names in combinations(best, size)
            if math.prod(counts[name] for name in names) >= frame.height
            and not frame.select(names).is_duplicated().any()
        )
        if found:
            return found
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
