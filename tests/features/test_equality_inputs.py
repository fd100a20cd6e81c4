"""The same answer everywhere for entities of two keys, in nanoseconds, and in a zone whose clocks jump."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.features.entity import Entity
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from features import cases
from features.cases import SCHEMA, Table, frame_of, tables
from features.oracle import feature, same
from features.stores import FakeStore, Rows, pages_of
from features.test_equality import LONG, known

ZONED = pl.Datetime("ns", "America/New_York")
JUMP = 1_699_164_000_000_000 - 60
"""Sixty microseconds before New York's clocks go back, on 5 November 2023 at 6:00 UTC."""
EVERY = [*cases.WINDOWED[::3], *cases.NEW_WINDOWED[::5], *cases.LASTS, *cases.NEW_LASTS[:4]]
PAIRS = [(key, part) for key in ("a", "b", None) for part in (0, 1, None)]


def zoned(column: str, *, early: bool) -> pl.Expr:
    """Microseconds as nanoseconds of that zone: a little before for rows, which round up, or after for requests."""
    odd = pl.int_range(pl.len()) * 37 % 1000
    nanos = pl.col(column).cast(pl.Int64) * 1000 + (-odd if early else odd)
    return nanos.cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("America/New_York").alias(column)


def table_of(rows):
    """Rows as a table in nanoseconds has them."""
    parts = pl.Series("part", [row["part"] for row in rows], dtype=pl.Int64)
    times = [zoned(name, early=True) for name in ("_event_time", "_available_at")]
    frame = frame_of([{name: row[name] for name in SCHEMA} for row in rows])
    return frame.with_columns(parts, *times)


def offline(view, rows, asked):
    labels = pl.DataFrame(
        {
            "key": [key for (key, _), _ in asked],
            "part": [part for (_, part), _ in asked],
            "_at": [at for _, at in asked],
        },
        schema={"key": pl.String, "part": pl.Int64, "_at": pl.Int64},
    ).with_columns(zoned("_at", early=False))
    assert labels.schema["_at"] == table_of(rows).schema["_event_time"] == ZONED
    return build(labels, [view], [], lambda name: table_of(rows).lazy()).select(view.feature_names).rows()


def online(view, store, asked):
    requests = [{"key": key, "part": part} for (key, part), _ in asked]
    answers = OnlineReader(store.online, [view]).read(requests, [at for _, at in asked])
    return [[None if value != value else value for value in values] for values, _ in answers]


@pytest.mark.parametrize("definition", EVERY, ids=lambda one: one[0].stem)
@settings(max_examples=20)
@given(st.data())
def test_same_answer_everywhere(definition, data):
    made, asks = definition
    view = FeatureView(name="v", entity=Entity("thing", ["key", "part"]), source=Table(), features=[made])
    rows = [
        {**row, "part": data.draw(st.sampled_from([0, 1, None]))}
        | {name: None if row[name] is None else row[name] + JUMP for name in ("_event_time", "_available_at")}
        for row in data.draw(tables())
    ]
    ats = data.draw(st.lists(st.integers(-5, 230), min_size=1, max_size=3))
    asked = [(pair, at + JUMP) for pair in PAIRS for at in ats]
    taken_in, filled, fed = known(rows), FakeStore(), FakeStore()
    order = data.draw(st.permutations(taken_in))
    cuts = data.draw(st.lists(st.integers(0, 30), max_size=2))
    with pages_of(data.draw(st.sampled_from([3, 128]))):
        for cut in sorted({*cuts, len(taken_in)}):
            materialise(filled, view, filled.tables.put("events", table_of(taken_in[:cut])), now=10**16, grace=LONG)
        pusher = Pusher(fed.online, view, Rows(), types=SCHEMA | {"part": pl.Int64()}, grace=LONG)
        for one in order:
            pusher.push([one])
        found = {"offline": offline(view, rows, asked), "table": online(view, filled, asked)}
        found["pushes"] = online(view, fed, asked)
    for place, answers in found.items():
        seen = [{**one, "_seq": at} for at, one in enumerate(order)] if place == "pushes" else rows
        told = [one | {"key": _pair(one["key"], one["part"])} for one in seen]
        for (pair, at), got in zip(asked, answers, strict=True):
            for ask, one in zip(asks, got, strict=True):
                assert same(ask.kind, one, feature(ask, told, _pair(*pair), at)), (place, pair, at, one)


def _pair(key, part):
    return None if key is None or part is None else (key, part)
