"""Tables, views and requests that Hypothesis draws, small and full of collisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from hypothesis import strategies as st

from drivetrain.features.aggregate import Aggregate, count, last, max, mean, min, share, std, sum
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
    key: tuple[str, ...] = ("id",)


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


def _all(kind: str, made: Aggregate, value: Any, where: Any = None) -> tuple[Aggregate, list[Ask]]:
    return made, [Ask(kind, value, window, where) for window in made.windows]


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


def view_of(chosen: list[tuple[Aggregate, list[Ask]]], ttl: int | None = None) -> tuple[FeatureView, list[Ask]]:
    """A view of these features, and the same in plain Python."""
    view = FeatureView(
        name="v", entity=Entity("thing", ["key"]), source=Table(), features=[made for made, _ in chosen], ttl=ttl
    )
    asks = [replace(ask, ttl=ttl if ask.kind == "last" else None) for _, asked in chosen for ask in asked]
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
