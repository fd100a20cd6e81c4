"""Two versions of a table, column by column: what moved, in a sentence each."""

from __future__ import annotations

import msgspec

from drivetrain.data.distance import shift
from drivetrain.data.profile import ColumnProfile, TableProfile

AT = (0.05, 0.25, 0.5, 0.75, 0.95)
NULLS = 0.01
"""A share of nulls that moves by less is not told."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One column in two versions.

    Attributes:
        column: Its name.
        shift: Jeffreys' divergence between both (PSI); none where it can't be told.
        chance: What sampling alone exceeds once in a thousand times.
        moved: Whether the shift is beyond chance.
        words: What is different, in a sentence.
    """

    column: str
    shift: float | None = None
    chance: float | None = None
    moved: bool = False
    words: str


def compare(before: TableProfile, now: TableProfile) -> list[Moved]:
    """Every column of either version, those of the later first, in its order."""
    old = {column.name: column for column in before.columns}
    told = [_column(old.get(column.name), column, before.version) for column in now.columns]
    gone = set(old) - {column.name for column in now.columns}
    return told + [
        Moved(column=name, moved=True, words=f"{name} was there in version {before.version} and is not any more.")
        for name in old
        if name in gone
    ]


def _column(before: ColumnProfile | None, now: ColumnProfile, version: int) -> Moved:
    name = now.name
    if before is None:
        return Moved(column=name, moved=True, words=f"{name} was not there in version {version}.")
    if before.dtype != now.dtype:
        return Moved(
            column=name, moved=True, words=f"{name} was {before.dtype} in version {version}, and is {now.dtype}."
        )
    found = shift(before, now)
    parts = [*_nulls(before, now), *_values(before, now), *_kinds(before, now)]
    if found is None:
        words = (
            f"{name}: {'; '.join(parts)}; too few rows to judge." if parts else f"{name} is as in version {version}."
        )
        return Moved(column=name, words=words)
    value, chance = found
    beyond = value > chance
    if not before.shown and not now.shown and now.values:
        rest = (
            f"moved by {value:.3f}: {'; '.join(parts) or 'fewer or more are empty'}" if beyond else "is as often empty"
        )
        words = f"{name} {rest}{'' if beyond else f' as in version {version}'}; of its values only counts are kept."
    elif not beyond:
        words = f"{name} lies as in version {version}, as far as {now.rows:,} rows can tell."
    else:
        words = f"{name} moved by {value:.3f}: {'; '.join(parts) or 'the same range, other shares'}."
    return Moved(column=name, shift=value, chance=chance, moved=beyond, words=words)


def _nulls(before: ColumnProfile, now: ColumnProfile) -> list[str]:
    was, is_ = (part.nulls / part.rows if part.rows else 0.0 for part in (before, now))
    return [f"{is_:.1%} empty, {was:.1%} before"] if abs(is_ - was) >= NULLS else []


def _values(before: ColumnProfile, now: ColumnProfile) -> list[str]:
    if before.mean is None or now.mean is None:
        ends = (before.low, before.high) != (now.low, now.high) and before.low is not None
        return [f"{now.low} to {now.high}, {before.low} to {before.high} before"] if ends else []
    (low, middle, high), (old_low, old, old_high) = (part.quantiles.at((0.25, 0.5, 0.75)) for part in (now, before))
    if (low, middle, high) == (old_low, old, old_high):
        return []
    return [
        f"median {middle:.4g}, {old:.4g} before; middle half {low:.4g} to {high:.4g}, {old_low:.4g} to {old_high:.4g}"
    ]


def _kinds(before: ColumnProfile, now: ColumnProfile) -> list[str]:
    if not before.values or not now.values or before.quantiles.count:
        return []
    names = {**before.frequent.counts, **now.frequent.counts}
    shares = {
        name: (now.frequent.counts.get(name, 0) / now.values, before.frequent.counts.get(name, 0) / before.values)
        for name in names
    }
    most = max(shares, key=lambda name: abs(shares[name][0] - shares[name][1]), default=None)
    if most is None or abs(shares[most][0] - shares[most][1]) < NULLS:
        return []
    return [f"{most!r} makes up {shares[most][0]:.1%}, {shares[most][1]:.1%} before"]
