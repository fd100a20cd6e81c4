"""Tables, views and requests that Hypothesis draws, small and full of collisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from hypothesis import strategies as st

from drivetrain.features.aggregate import (
    Aggregate,
    count,
    count_distinct,
    embedding,
    last,
    last_n,
    max,
    mean,
    min,
    quantile,
    share,
    since_last,
    std,
    sum,
    top_k,
)
from drivetrain.features.entity import Entity
from drivetrain.features.view import FeatureView
from features.oracle import Ask, Row

UTC = pl.Datetime("us", "UTC")
SCHEMA = {
    "key": pl.String,
    "x": pl.Float64,
    "n": pl.Int64,
    "b": pl.Boolean,
    "s": pl.String,
    "_event_time": UTC,
    "_available_at": UTC,
    "_seq": pl.Int64,
}
WINDOWS = (5, 17, 60, None)
TTL = 25


@dataclass(frozen=True)
class Table:
    """A source as views see it."""

    name: str = "events"
    key: tuple[str, ...] = ("_seq",)


def frame_of(rows: list[Row]) -> pl.DataFrame:
    """Rows as a table has them."""
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _positive(row: Row) -> bool | None:
    return None if row["n"] is None else row["n"] > 0


def _twice(row: Row) -> float | None:
    return None if row["x"] is None else row["x"] * 2


_where = pl.col("n") > 0
_x = lambda row: row["x"]  # noqa: E731
_n = lambda row: row["n"]  # noqa: E731
_b = lambda row: row["b"]  # noqa: E731


_s = lambda row: row["s"]  # noqa: E731


def _all(kind: str, made: Aggregate, value: Any, where: Any = None) -> tuple[Aggregate, list[Ask]]:
    return made, [
        Ask(
            kind,
            value,
            window,
            where,
            argument=argument,
            offset=made.offset,
            hop=None if window is None else made.hop,
        )
        for argument in made.arguments
        for window in made.windows or (None,)
    ]


def _item(at: int) -> Any:
    """What ``_PAIR`` has at a place: of two numbers none, the first, or both."""

    def of(row: Row) -> float | None:
        pair = (row["x"], row["n"])[: abs(row["n"] or 0)]
        return pair[at] if at < len(pair) else None

    return of


_PAIR = pl.concat_list("x", pl.col("n").cast(pl.Float64)).list.head(pl.col("n").abs().fill_null(0))


WINDOWED = [
    _all("count", count(windows=WINDOWS), None),
    _all("count", count("x", windows=WINDOWS), _x),
    _all("count", count(windows=WINDOWS, where=_where, name="positives"), None, _positive),
    _all("sum", sum("x", windows=WINDOWS), _x),
    _all("sum", sum("n", windows=WINDOWS), _n),
    _all("mean", mean("x", windows=WINDOWS), _x),
    _all("min", min("x", windows=WINDOWS), _x),
    _all("max", max("n", windows=WINDOWS), _n),
    _all("max", max("x", windows=WINDOWS, where=_where, name="max_positive"), _x, _positive),
    _all("std", std("x", windows=WINDOWS), _x),
    _all("std", std("n", windows=WINDOWS), _n),
    _all("share", share("b", windows=WINDOWS), _b),
    _all("mean", mean(pl.col("x") * 2, windows=WINDOWS, where=_where, name="twice"), _twice, _positive),
]
LASTS = [
    (last("x"), [Ask("last", _x)]),
    (last("s"), [Ask("last", lambda row: row["s"])]),
    (last("b"), [Ask("last", _b)]),
    (last("n", where=_where, name="last_positive"), [Ask("last", _n, where=_positive)]),
]

OFFSET = 9
HOP = 5
NEW_WINDOWED = [
    _all("distinct", count_distinct("x", windows=WINDOWS), _x),
    _all("distinct", count_distinct("s", windows=WINDOWS), _s),
    _all("distinct", count_distinct("b", windows=WINDOWS, offset=OFFSET, name="distinct_b_before"), _b),
    _all("distinct", count_distinct("n", windows=WINDOWS, where=_where, name="distinct_positive"), _n, _positive),
    _all("distinct", count_distinct("n", windows=WINDOWS, hop=HOP, name="distinct_n_hop"), _n),
    _all("quantile", quantile("x", 0.5, windows=WINDOWS), _x),
    _all("quantile", quantile("n", 0.9, windows=WINDOWS), _n),
    _all("quantile", quantile("x", 0.3, windows=WINDOWS, where=_where, name="low_positive"), _x, _positive),
    _all("quantile", quantile("b", 1, windows=WINDOWS), _b),
    _all("quantile", quantile("x", 0.25, windows=WINDOWS, offset=OFFSET, hop=HOP, name="low_before"), _x),
    _all("top", top_k("s", 3, windows=WINDOWS), _s),
    _all("top", top_k("n", 4, windows=WINDOWS), _n),
    _all("top", top_k("b", 1, windows=WINDOWS), _b),
    _all("top", top_k("x", 2, windows=WINDOWS, where=_where, name="top_positive"), _x, _positive),
    _all("top", top_k("n", 2, windows=WINDOWS, offset=OFFSET, name="top_before"), _n),
    _all("top", top_k("n", 2, windows=WINDOWS, hop=HOP, name="top_hop"), _n),
    _all("count", count(windows=WINDOWS, offset=OFFSET, name="count_before"), None),
    _all("count", count(windows=WINDOWS, hop=HOP, name="count_hop"), None),
    _all("sum", sum("x", windows=WINDOWS, offset=40, name="sum_long_before"), _x),
    _all("sum", sum("x", windows=(17, 60, None), hop=17, name="sum_hop"), _x),
    _all("mean", mean("x", windows=WINDOWS, offset=OFFSET, hop=HOP, name="mean_before_hop"), _x),
    _all("std", std("x", windows=(60,), hop=60, name="std_hop"), _x),
    _all("min", min("x", windows=WINDOWS, offset=OFFSET, name="min_before"), _x),
    _all("max", max("x", windows=(60,), hop=37, name="max_hop"), _x),
    _all("max", max("n", windows=WINDOWS, where=_where, hop=2, name="max_hop_positive"), _n, _positive),
    _all("share", share("b", windows=(60, None), offset=1, hop=60, name="share_before_hop"), _b),
]
"""Kinds, offsets and hops that came later than those of WINDOWED."""
NEW_LASTS = [
    _all("last", last_n("x", 3, name="x_newest"), _x),
    _all("last", last_n("s", 2, name="s_newest"), _s),
    _all("last", last_n("n", 4, where=_where, name="n_positive_newest"), _n, _positive),
    _all("since", since_last(), None),
    _all("since", since_last(where=_where, name="since_positive"), None, _positive),
    *[(made, [Ask("last", _item(at))]) for at, made in enumerate(embedding(_PAIR, 3, name="pair"))],
]
"""Looked-up features that came later than those of LASTS."""


def view_of(chosen: list[tuple[Aggregate, list[Ask]]], ttl: int | None = None) -> tuple[FeatureView, list[Ask]]:
    """A view of these features, and the same in plain Python."""
    view = FeatureView(
        name="v", entity=Entity("thing", ["key"]), source=Table(), features=[made for made, _ in chosen], ttl=ttl
    )
    asks = [replace(ask, ttl=ttl if ask.looked_up else None) for _, asked in chosen for ask in asked]
    return view, asks


NUMBERS = st.one_of(
    st.none(),
    st.integers(-5, 5).map(float),
    st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6),
    st.sampled_from([0.1, 0.2, 0.3, 1e15, -1e15, float("nan"), float("inf")]),
)


@st.composite
def tables(draw: st.DrawFn, *, size: int = 30, span: int = 120) -> list[Row]:
    """Rows with few keys and moments, so that ties, duplicates and late rows are common."""
    rows: list[Row] = []
    delays = draw(st.sampled_from([st.just(0), st.just(7), st.integers(0, 12), st.integers(-3, 90)]))
    for sequence in range(draw(st.integers(0, size))):
        event = draw(st.one_of(st.integers(0, span), st.integers(0, span), st.integers(0, span), st.none()))
        rows.append(
            {
                "key": draw(st.sampled_from(["a", "b", "c", None])),
                "x": draw(NUMBERS),
                "n": draw(st.one_of(st.none(), st.integers(-3, 3))),
                "b": draw(st.sampled_from([True, False, None])),
                "s": draw(st.sampled_from(["p", "q", None])),
                "_event_time": event,
                "_available_at": None if event is None else event + draw(delays),
                "_seq": sequence,
            }
        )
    return draw(st.permutations(rows))


REQUESTS = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "nobody", None]), st.integers(-10, 220)), max_size=12)
