"""One definition, the same answer everywhere: brute force, offline, online from tables, from pushes and from tiles."""

from __future__ import annotations

import contextlib
import math
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.features.aggregate import LOOKED_UP, count, max, mean, min, share, std, sum
from drivetrain.features.online import heads, push
from drivetrain.features.online.layout import HEAD, Layout
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.training_set import build
from features import cases
from features.cases import SCHEMA, frame_of, tables, view_of
from features.oracle import feature, same
from features.stores import FakeStore, Rows, pages_of

EVERY = [*cases.WINDOWED, *cases.NEW_WINDOWED, *cases.LASTS, *cases.NEW_LASTS]
HOPPING = [
    cases._all("count", count(windows=(5, 20), hop=5), None),
    cases._all("count", count(windows=(20,), hop=10, where=cases._where, name="positives"), None, cases._positive),
    cases._all("sum", sum("x", windows=(10, 60), hop=10), cases._x),
    cases._all("mean", mean("n", windows=(7, 60), hop=5), cases._n),
    cases._all("min", min("x", windows=(30,), hop=15), cases._x),
    cases._all("max", max("x", windows=(30,), hop=15), cases._x),
    cases._all("std", std("n", windows=(60,), hop=20), cases._n),
    cases._all("share", share("b", windows=(20, 40), hop=5), cases._b),
    cases._all("sum", sum("x", name="whole"), cases._x),
    *cases.LASTS,
]
KEYS = ["a", "b", "c", "nobody", None]
LONG = 10**6


def clean(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def known(rows):
    """Rows that are ever known, in the order they were taken in."""
    return sorted((one for one in rows if one["_event_time"] is not None), key=lambda one: one["_seq"])


def offline(view, rows, asked):
    labels = pl.DataFrame(
        {"key": [key for key, _ in asked], "_at": [at for _, at in asked]},
        schema={"key": pl.String, "_at": pl.Datetime("us", "UTC")},
    )
    return build(labels, [view], [], lambda name: frame_of(rows).lazy()).select(view.feature_names).rows()


def online(view, store, asked, data):
    """Together or one by one, by compiled code or in Python."""
    compiled = data.draw(st.booleans())
    with contextlib.nullcontext() if compiled else mock.patch.object(heads, "Reader", None):
        reader = OnlineReader(store.online, [view])
    keys, ats = [{"key": key} for key, _ in asked], [at for _, at in asked]
    if data.draw(st.booleans()):
        answers = reader.read(keys, ats)
    else:
        answers = [reader.read([key], [at])[0] for key, at in zip(keys, ats, strict=True)]
    return [tuple(clean(value) for value in values) for values, _ in answers]


def from_table(view, rows, cuts, grace=LONG):
    store, rows = FakeStore(), known(rows)
    for cut in sorted({*cuts, len(rows)}):
        materialise(store, view, store.tables.put("events", frame_of(rows[:cut])), now=10**16, grace=grace)
    return store


def from_pushes(view, rows, order, sizes):
    """Every row pushed, in any order and chunks; ties are won by the row pushed last."""
    store = FakeStore()
    pusher = Pusher(store.online, view, Rows(), types=SCHEMA, grace=LONG)
    left = list(order)
    while left:
        some, left = left[: sizes[0]], left[sizes[0] :]
        sizes = [*sizes[1:], sizes[0]]
        pusher.push(some)
    return store


@pytest.mark.parametrize("definition", EVERY, ids=lambda one: one[0].stem)
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_same_answer_everywhere(definition, data):
    rows = data.draw(tables())
    ttl = data.draw(st.sampled_from([None, cases.TTL])) if definition[0].kind in LOOKED_UP else None
    view, asks = view_of([definition], ttl)
    ats = data.draw(st.lists(st.integers(-5, 230), min_size=2, max_size=4))
    asked = [(key, at) for key in KEYS for at in ats]
    size, most = data.draw(st.sampled_from([(3, 2), (128, 48)]))
    with (
        pages_of(size),
        mock.patch.object(push, "PENDING_MOST", most),
    ):
        expected = [tuple(feature(ask, rows, key, at) for ask in asks) for key, at in asked]
        places = {
            "offline": offline(view, rows, asked),
            "table": online(
                view, from_table(view, rows, data.draw(st.lists(st.integers(0, 30), max_size=3))), asked, data
            ),
        }
        order = data.draw(st.permutations(known(rows)))
        sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
        places["pushes"] = online(view, from_pushes(view, rows, order, sizes), asked, data)
    pushed = [{**one, "_seq": at} for at, one in enumerate(order)]
    by_push = [tuple(feature(ask, pushed, key, at) for ask in asks) for key, at in asked]
    for place, found in places.items():
        wanted = by_push if place == "pushes" else expected
        for request, got, want in zip(asked, found, wanted, strict=True):
            for ask, one, other in zip(asks, got, want, strict=True):
                assert same(ask.kind, one, other), (place, request, one, other)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_tiles_answer_as_events_do(data):
    chosen = data.draw(st.lists(st.sampled_from(HOPPING), min_size=1, max_size=4, unique_by=id))
    view, asks = view_of([*chosen, HOPPING[0]] if HOPPING[0] not in chosen else chosen)
    rows = data.draw(tables())
    grace = data.draw(st.integers(0, 30))
    size = data.draw(st.sampled_from([3, 128]))
    with pages_of(size):
        store = from_table(view, rows, data.draw(st.lists(st.integers(0, 30), max_size=3)), grace)
        newest = {one["key"]: one["_event_time"] for one in sorted(known(rows), key=lambda one: one["_event_time"])}
        after = data.draw(st.lists(st.integers(0, 100), min_size=1, max_size=3))
        asked = [(key, newest.get(key, 0) - grace + late) for key in KEYS for late in after]
        found = online(view, store, asked, data)
    for (key, at), got in zip(asked, found, strict=True):
        for ask, one in zip(asks, got, strict=True):
            assert same(ask.kind, one, feature(ask, rows, key, at)), (key, at, ask, one)


def test_old_events_are_really_in_tiles():
    view, _ = view_of(HOPPING)
    rows = [
        {"key": "a", "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at, "_seq": at}
        for at in range(1, 101)
    ]
    store = from_table(view, rows, [50], grace=10)
    [head] = store.online.read(view.space, [b"e\xa1a"])
    assert head is not None
    _, _, tiles, marks, *_ = HEAD.unpack_from(head)
    assert Layout(view).tile == 5
    assert marks - tiles <= 14
    assert 10 <= tiles <= 20
