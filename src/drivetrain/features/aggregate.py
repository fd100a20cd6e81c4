"""What is asked of an entity's events: the last value, or an aggregate over windows that end at the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Literal, TypeAlias

import polars as pl

from drivetrain.core.clock import DAY, HOUR, MINUTE, SECOND, Micros, duration
from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.features.expression import (
    Expression,
    check_row_wise,
    expression,
    expression_digest,
    in_words,
)

Kind: TypeAlias = Literal["last", "count", "sum", "mean", "min", "max", "std", "share"]
Window: TypeAlias = str | timedelta | int
Windows: TypeAlias = Window | Sequence[Window | None] | None
"""One window or several: ``"7d"``, a timedelta or microseconds; ``"all"`` or ``None`` is the entity's whole history."""

_UNITS = ((DAY, "d", "day"), (HOUR, "h", "hour"), (MINUTE, "m", "minute"), (SECOND, "s", "second"))
_ARTICLES = {
    "count": "number of {0}",
    "sum": "sum of {0}",
    "mean": "mean of {0}",
    "min": "smallest {0}",
    "max": "largest {0}",
    "std": "standard deviation of {0}",
    "share": "share of rows with {0}",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Aggregate:
    """One thing asked of events, over one or several windows; each window makes a feature.

    A window of length ``w`` at the moment ``t`` holds the rows with event time in ``(t - w, t]`` that were available at
    ``t``. Nulls, NaN and infinities (and magnitudes from 2**480 on, whose squares are none) count for nothing: the
    count of no rows is 0, everything else of no values is null, and so is ``std`` of a single value. Integers beyond
    2**53 are rounded to the nearest float64.

    Attributes:
        kind: What is asked.
        value: Row expression whose values it is asked of; none for a count of rows.
        windows: Window lengths in microseconds, ``None`` for the whole history; empty for ``last``.
        where: Row expression; rows where it is not true are left out.
        stem: Feature name without its window.
        description: For people, instead of the words made from the definition.
    """

    kind: Kind
    value: pl.Expr | None
    windows: tuple[Micros | None, ...] = ()
    where: pl.Expr | None = None
    stem: str
    description: str = ""

    def __post_init__(self) -> None:
        for role, expr in (("value", self.value), ("where", self.where)):
            if expr is not None:
                check_row_wise(expr, f"the {role} of feature {self.stem!r}")
        if any(window is not None and window <= 0 for window in self.windows):
            raise ProjectError(f"feature {self.stem!r} has a window of zero", do="Give it a length, such as '7d'")
        if len(set(self.windows)) != len(self.windows):
            raise ProjectError(f"feature {self.stem!r} names a window twice", found=list(self.windows))

    @cached_property
    def input_digest(self) -> Digest:
        """Digest of the values it is asked of: equal digest, equal values."""
        return digest([expression_digest(self.value), expression_digest(self.where)])

    def words(self, window: Micros | None) -> str:
        """What the feature of one window is, in plain words."""
        what = "rows" if self.value is None else in_words(self.value)
        which = "" if self.where is None else f" where {in_words(self.where)}"
        if self.kind == "last":
            return f"last {what}{which} up to the request, from rows available then"
        span = "the whole history" if window is None else window_words(window)
        what = "values of " + what if self.kind == "count" and self.value is not None else what
        return f"{_ARTICLES[self.kind].format(what)}{which} over {span} up to the request, from rows available then"


def last(
    value: Expression, *, where: pl.Expr | None = None, name: str | None = None, description: str = ""
) -> Aggregate:
    """The value of the newest row available then; null if that row's value is null, or older than the view's ``ttl``.

    The newest row is the one with the greatest event time, and among equals the one ingested last. Values may be
    numbers, booleans or text.

    Args:
        value: Column or row expression; the feature is named after it.
        where: Only rows where this is true are looked at.
        name: Name of the feature.
        description: For people.
    """
    expr = expression(value)
    return Aggregate(kind="last", value=expr, where=where, stem=name or _name_of(expr, "last"), description=description)


def count(
    value: Expression | None = None,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """How many rows, or how many values that are not null; 0 if there are none."""
    return _windowed(
        "count", None if value is None else expression(value), windows, where=where, name=name, description=description
    )


def sum(
    value: Expression,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """Sum of the values, rounded once from the exact sum; null if there are none."""
    return _windowed("sum", expression(value), windows, where=where, name=name, description=description)


def mean(
    value: Expression,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """Mean of the values; null if there are none."""
    return _windowed("mean", expression(value), windows, where=where, name=name, description=description)


def min(
    value: Expression,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """Smallest value; null if there are none."""
    return _windowed("min", expression(value), windows, where=where, name=name, description=description)


def max(
    value: Expression,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """Largest value; null if there are none."""
    return _windowed("max", expression(value), windows, where=where, name=name, description=description)


def std(
    value: Expression,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """Sample standard deviation (divided by n - 1); null of fewer than two values."""
    return _windowed("std", expression(value), windows, where=where, name=name, description=description)


def share(
    value: Expression,
    *,
    windows: Windows = None,
    where: pl.Expr | None = None,
    name: str | None = None,
    description: str = "",
) -> Aggregate:
    """Share of rows where a boolean is true, of those where it is not null; null if there are none."""
    return _windowed("share", expression(value), windows, where=where, name=name, description=description)


def window_text(window: Micros | None) -> str:
    """A window in a feature's name: the same for ``"24h"`` and ``"1d"``.

    Example:
        >>> window_text(7 * DAY), window_text(90 * MINUTE), window_text(None)
        ('7d', '1h30m', 'all')
    """
    if window is None:
        return "all"
    text = ""
    for unit, letter, _ in _UNITS:
        amount, window = divmod(window, unit)
        text += f"{amount}{letter}" if amount else ""
    return text + (f"{window}us" if window else "")


def window_words(window: Micros) -> str:
    """A window in words.

    Example:
        >>> window_words(7 * DAY), window_words(90 * MINUTE)
        ('7 days', '1 hour 30 minutes')
    """
    parts = []
    for unit, _, word in _UNITS:
        amount, window = divmod(window, unit)
        if amount:
            parts.append(f"{amount} {word}{'s' if amount > 1 else ''}")
    if window:
        parts.append(f"{window} microseconds")
    return " ".join(parts)


def _windowed(
    kind: Kind,
    value: pl.Expr | None,
    windows: Windows,
    *,
    where: pl.Expr | None,
    name: str | None,
    description: str,
) -> Aggregate:
    listed: Sequence[Window | None] = (
        (windows,) if windows is None or isinstance(windows, str | timedelta | int) else tuple(windows)
    )
    if not listed:
        raise ProjectError(f"a {kind} has no windows", do="Name at least one, such as '7d', or 'all'")
    lengths = tuple(None if window is None or window == "all" else duration(window) for window in listed)
    stem = name or (kind if value is None else f"{kind}_{_name_of(value, kind)}")
    return Aggregate(kind=kind, value=value, windows=lengths, where=where, stem=stem, description=description)


def _name_of(expr: pl.Expr, kind: str) -> str:
    if expr.meta.has_multiple_outputs():
        raise ProjectError(f"a {kind} is asked of several columns at once", found=str(expr), expected="one column")
    return expr.meta.output_name()
