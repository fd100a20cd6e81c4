"""What is asked of an entity's events: the newest values, or an aggregate over windows that end at the request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, TypedDict, Unpack

import polars as pl

from drivetrain.core.clock import Micros, duration
from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.features.expression import (
    Expression,
    check_row_wise,
    expression,
    expression_digest,
    in_words,
)
from drivetrain.features.window import Window, Windows, lengths_of, window_words

Kind: TypeAlias = Literal[
    "last", "since", "count", "sum", "mean", "min", "max", "std", "share", "distinct", "quantile", "top"
]
LOOKED_UP: frozenset[Kind] = frozenset({"last", "since"})
"""Kinds that are looked up in the newest rows; all others are aggregates over a window."""
ADDED_UP: frozenset[Kind] = frozenset({"count", "sum", "mean", "min", "max", "std", "share"})
"""Kinds whose parts add up: the aggregate of two parts of a window follows from the moments of each."""

_NOUNS = {
    "count": "number of {0}",
    "sum": "sum of {0}",
    "mean": "mean of {0}",
    "min": "smallest {0}",
    "max": "largest {0}",
    "std": "standard deviation of {0}",
    "share": "share of rows with {0}",
    "distinct": "number of different {0}",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Aggregate:
    """One thing asked of events, over one or several windows; each window makes a feature.

    A window of length ``w`` at the moment ``t`` holds the rows with event time in ``(t - w, t]`` that were available at
    ``t``; with an ``offset`` ``o`` those in ``(t - o - w, t - o]``; with a ``hop`` ``h`` the window begins at the last
    whole multiple of ``h`` (counted from 1970) that is not after its beginning. Nulls, NaN and infinities (and
    magnitudes from 2**480 on, whose squares are none) count for nothing: the count of no rows is 0, everything else of
    no values is null, and so is ``std`` of a single value. Integers beyond 2**53 are rounded to the nearest float64.

    Attributes:
        kind: What is asked.
        value: Row expression whose values it is asked of; none for a count of rows.
        windows: Window lengths in microseconds, ``None`` for the whole history; empty for what is looked up.
        where: Row expression; rows where it is not true are left out.
        offset: Microseconds before the request at which windows end.
        hop: Microseconds by whose multiples windows begin; none where they begin anywhere.
        arguments: The quantile asked for; for ``last`` and ``top`` which of the newest or most frequent values, from 0.
        stem: Feature name without its window.
        description: For people, instead of the words made from the definition.
    """

    kind: Kind
    value: pl.Expr | None
    windows: tuple[Micros | None, ...] = ()
    where: pl.Expr | None = None
    offset: Micros = 0
    hop: Micros | None = None
    arguments: tuple[float | None, ...] = (None,)
    stem: str
    description: str = ""

    def __post_init__(self) -> None:
        for role, expr in (("value", self.value), ("where", self.where)):
            if expr is not None:
                check_row_wise(expr, f"the {role} of feature {self.stem!r}")
        if self.kind not in LOOKED_UP and not self.windows:
            raise ProjectError(f"feature {self.stem!r} has no windows", do="Name at least one, such as '7d', or 'all'")
        if any(window is not None and window <= 0 for window in self.windows):
            raise ProjectError(f"feature {self.stem!r} has a window of zero", do="Give it a length, such as '7d'")
        if len(set(self.windows)) != len(self.windows):
            raise ProjectError(f"feature {self.stem!r} names a window twice", found=list(self.windows))
        if self.offset < 0:
            raise ProjectError(
                f"feature {self.stem!r} has a window that ends after the request",
                found=f"offset {self.offset}",
                do="Give an offset of zero or more",
            )
        if self.hop is not None:
            self._check_hop(self.hop)

    def _check_hop(self, hop: Micros) -> None:
        longer = [window for window in self.windows if window is not None and window < hop]
        if hop <= 0 or longer:
            raise ProjectError(
                f"feature {self.stem!r} has a hop that does not fit its windows",
                found=f"hop {window_words(hop) if hop > 0 else hop}",
                expected=f"at most {window_words(longer[0])}" if longer else "a length, such as '1h'",
            )

    @cached_property
    def input_digest(self) -> Digest:
        """Digest of the values it is asked of: equal digest, equal values."""
        return digest([expression_digest(self.value), expression_digest(self.where)])

    def words(self, window: Micros | None, argument: float | None, table: str) -> str:
        """What the feature of one window is, in plain words; ``table`` is where the rows come from."""
        which = "" if self.where is None else f" where {in_words(self.where)}"
        tail = f"up to the request, from {table} available then"
        if self.kind == "since":
            return f"seconds since the last of {table}{which}, of those available at the request"
        what = table if self.value is None else in_words(self.value)
        if self.kind == "last":
            rank = "last" if not argument else f"{_ordinal(int(argument) + 1)} last"
            return f"{rank} {what}{which} {tail}"
        span = "the whole history" if window is None else window_words(window)
        if self.hop is not None and window is not None:
            span += f" from a whole {window_words(self.hop)} on"
        end = tail if not self.offset else f"up to {window_words(self.offset)} before the request, {tail[16:]}"
        if self.kind == "quantile":
            noun = f"{argument:g} quantile of {what}"
        elif self.kind == "top":
            rank = "" if not argument else f"{_ordinal(int(argument) + 1)} "
            noun = f"{rank}most frequent {what}"
        else:
            counted = "values of " + what if self.kind == "count" and self.value is not None else what
            noun = _NOUNS[self.kind].format(counted)
        return f"{noun}{which} over {span} {end}"


class Asked(TypedDict, total=False):
    """What every windowed aggregate may be told.

    Attributes:
        windows: One window or several; the whole history if none is named.
        where: Only rows where this is true count.
        offset: How long before the request windows end, such as ``"7d"`` for what is known a week later.
        hop: Windows begin at whole multiples of this length, so that tiles serve them.
        name: Name of the features, without the window.
        description: For people.
    """

    windows: Windows
    where: pl.Expr | None
    offset: Window
    hop: Window | None
    name: str | None
    description: str


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


def last_n(
    value: Expression, n: int, *, where: pl.Expr | None = None, name: str | None = None, description: str = ""
) -> Aggregate:
    """The values of the ``n`` newest rows, newest first, a feature each: ``amount_1``, ``amount_2`` and so on.

    Each is what :func:`last` would say if the rows after it were not there; null where there are fewer rows.
    """
    expr = expression(value)
    stem = name or _name_of(expr, "last_n")
    return Aggregate(
        kind="last", value=expr, where=where, arguments=_ranks(n, stem), stem=stem, description=description
    )


def since_last(*, where: pl.Expr | None = None, name: str = "since_last", description: str = "") -> Aggregate:
    """Seconds from the newest row's event to the request; null if there is none, or it is older than ``ttl``."""
    return Aggregate(kind="since", value=None, where=where, stem=name, description=description)


def embedding(
    value: Expression, size: int, *, where: pl.Expr | None = None, name: str | None = None, description: str = ""
) -> list[Aggregate]:
    """The newest row's vector, a feature for each of its numbers: ``vector_0``, ``vector_1`` and so on.

    Args:
        value: Column of lists of numbers.
        size: How many numbers each list has; a shorter one reads as null beyond its end.
        where: Only rows where this is true are looked at.
        name: Name of the features, without the number.
        description: For people.

    Returns:
        Aggregates to put into a view's features with ``*``.
    """
    expr = expression(value)
    stem = name or _name_of(expr, "embedding")
    _ranks(size, stem)
    return [
        last(expr.list.get(at, null_on_oob=True), where=where, name=f"{stem}_{at}", description=description)
        for at in range(size)
    ]


def count(value: Expression | None = None, **asked: Unpack[Asked]) -> Aggregate:
    """How many rows, or how many values that are not null; 0 if there are none. See :class:`Asked`."""
    return _windowed("count", None if value is None else expression(value), asked)


def count_distinct(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """How many different values, exactly; 0 if there are none. See :class:`Asked`."""
    return _windowed("distinct", expression(value), asked, "count_distinct")


def sum(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """Sum of the values, rounded once from the exact sum; null if there are none. See :class:`Asked`."""
    return _windowed("sum", expression(value), asked)


def mean(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """Mean of the values; null if there are none. See :class:`Asked`."""
    return _windowed("mean", expression(value), asked)


def min(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """Smallest value; null if there are none. See :class:`Asked`."""
    return _windowed("min", expression(value), asked)


def max(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """Largest value; null if there are none. See :class:`Asked`."""
    return _windowed("max", expression(value), asked)


def std(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """Sample standard deviation (divided by n - 1); null of fewer than two values. See :class:`Asked`."""
    return _windowed("std", expression(value), asked)


def share(value: Expression, **asked: Unpack[Asked]) -> Aggregate:
    """Share of rows where a boolean is true, of those where it is not null; null if there are none."""
    return _windowed("share", expression(value), asked)


def quantile(value: Expression, q: float, **asked: Unpack[Asked]) -> Aggregate:
    """The ``q``-quantile of the values, exactly, linear between the two nearest; null if there are none.

    With the values sorted as x[0] … x[n-1] and h = (n - 1) q it is x[⌊h⌋] + (h - ⌊h⌋)(x[⌊h⌋+1] - x[⌊h⌋]), definition 7
    of R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996).

    Args:
        value: Column or row expression.
        q: Between 0 and 1; .5 is the median.
        asked: See :class:`Asked`.
    """
    expr = expression(value)
    if not 0 <= q <= 1:
        raise ProjectError("a quantile can't be asked for", found=q, expected="between 0 and 1")
    stem = f"quantile_{q:g}_{_name_of(expr, 'quantile')}"
    return _windowed("quantile", expr, asked, stem, (float(q),))


def top_k(value: Expression, k: int, **asked: Unpack[Asked]) -> Aggregate:
    """The ``k`` most frequent values, each a feature of its own: ``top_shop_1_7d`` is the most frequent, and so on.

    Among values as frequent as each other the smaller comes first (texts by code points, false before true); null where
    there are fewer different values. Values may be numbers, booleans or text.
    """
    expr = expression(value)
    stem = f"top_{_name_of(expr, 'top_k')}"
    return _windowed("top", expr, asked, stem, _ranks(k, stem))


def _windowed(
    kind: Kind,
    value: pl.Expr | None,
    asked: Asked,
    stem: str | None = None,
    arguments: tuple[float | None, ...] = (None,),
) -> Aggregate:
    plain = stem or kind
    if stem is None or kind == "distinct":
        plain = plain if value is None else f"{plain}_{_name_of(value, kind)}"
    hop = asked.get("hop")
    return Aggregate(
        kind=kind,
        value=value,
        windows=lengths_of(asked.get("windows")),
        where=asked.get("where"),
        offset=duration(asked.get("offset", 0)),
        hop=None if hop is None else duration(hop),
        arguments=arguments,
        stem=asked.get("name") or plain,
        description=asked.get("description", ""),
    )


def _ranks(many: int, stem: str) -> tuple[float, ...]:
    if many < 1:
        raise ProjectError(f"feature {stem!r} is asked for no values", found=many, expected="1 or more")
    return tuple(float(rank) for rank in range(many))


def _ordinal(number: int) -> str:
    """A number as a rank in words: second, third, 4th."""
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _name_of(expr: pl.Expr, kind: str) -> str:
    if expr.meta.has_multiple_outputs():
        raise ProjectError(f"a {kind} is asked of several columns at once", found=str(expr), expected="one column")
    return expr.meta.output_name()
