"""Events looked at by compiled code say what they say in Python, to the bit, and what the rows themselves say."""

from __future__ import annotations

import contextlib
import os
import struct
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.features.aggregate import count, last, last_n, max, mean, min, share, since_last, std, sum
from drivetrain.features.online import events, reader
from drivetrain.features.online.events import compiled, events_reader
from drivetrain.features.online.history import Head, nothing, stamp_of
from drivetrain.features.online.layout import HEAD, Layout, history_key, key_of
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.online.scan import Scan
from features import cases
from features.cases import tables, view_of
from features.oracle import feature, same
from features.stores import pages_of
from features.test_equality import from_pushes, from_table, known

needs_events = pytest.mark.skipif(
    not compiled() and "DRIVETRAIN_REQUIRE_SERVICES" not in os.environ, reason="installed without a compiler"
)
WINDOWS = (5, 17, 60)
FINITE = [
    cases._all("count", count(windows=WINDOWS), None),
    cases._all("count", count("x", windows=WINDOWS), cases._x),
    cases._all("count", count(windows=WINDOWS, where=cases._where, name="positives"), None, cases._positive),
    cases._all("sum", sum("x", windows=WINDOWS), cases._x),
    cases._all("sum", sum("n", windows=WINDOWS), cases._n),
    cases._all("mean", mean("x", windows=WINDOWS), cases._x),
    cases._all("min", min("x", windows=WINDOWS), cases._x),
    cases._all("max", max("x", windows=WINDOWS, where=cases._where, name="max_positive"), cases._x, cases._positive),
    cases._all("share", share("b", windows=WINDOWS), cases._b),
    cases.LASTS[0],
    cases.LASTS[3],
    cases.NEW_LASTS[0],
    (since_last(), [cases.Ask("since", None)]),
]
"""What compiled code knows."""


def in_python(layout, store, key, row, at):
    head = Head.read(row, layout)
    if head.inline:
        history = head.history(row, layout)
    elif head.events:
        [kept] = store.online.read(layout.view.space, [history_key(key)])
        history = head.history(kept, layout)
    else:
        history = nothing(layout)
    return Scan(layout, head, history).read(at)


@needs_events
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_it_says_what_python_says(data):
    chosen = data.draw(st.lists(st.sampled_from(FINITE), min_size=1, max_size=4, unique_by=id))
    ttl = data.draw(st.sampled_from([None, 60]))
    view, asks = view_of(chosen, ttl)
    layout = Layout(view)
    rows = data.draw(tables())
    grace = data.draw(st.sampled_from([0, 10, 10**6]))
    quick = events_reader(layout)
    assert quick is not None
    with pages_of(data.draw(st.sampled_from([3, 128]))):
        store = from_table(view, rows, data.draw(st.lists(st.integers(0, 30), max_size=3)), grace)
        for key_value in "ab":
            key = key_of([key_value], ["key"])
            [row] = store.online.read(view.space, [key])
            for at in data.draw(st.lists(st.integers(-5, 230), min_size=1, max_size=4)) if row else ():
                values, age = quick.read(store.online, key, row, at)
                wanted, old = in_python(layout, store, key, row, at)
                np.testing.assert_array_equal(np.array(values), np.array(wanted, dtype=float))
                np.testing.assert_array_equal(age, old)
                if grace == 10**6:
                    for ask, one in zip(asks, values, strict=True):
                        assert same(ask.kind, None if np.isnan(one) else one, feature(ask, rows, key_value, at))


@needs_events
@given(st.lists(st.floats(-1e308, 1e308) | st.floats(-1, 1) | st.sampled_from([0.1, 1e16, -1e16, 1e-300]), min_size=1))
def test_sums_are_rounded_once(values):
    rows = [
        {"key": "a", "x": x, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at, "_seq": at}
        for at, x in enumerate([*values, 1.0], start=1)
    ]
    view, _ = view_of([cases._all("sum", sum("x", windows=(10**6,)), cases._x)])
    store, key = from_table(view, rows, []), key_of(["a"], ["key"])
    [row] = store.online.read(view.space, [key])
    try:
        wanted = in_python(Layout(view), store, key, row, len(values))
    except OverflowError:
        return
    found = events_reader(Layout(view)).read(store.online, key, row, len(values))
    if found is not None:
        np.testing.assert_array_equal(np.array(found[0]), np.array(wanted[0]))


@needs_events
def test_what_it_does_not_know_is_left_to_python():
    row = {"key": "a", "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": 3, "_available_at": 9, "_seq": 0}
    for asked in (std("x", windows=(5,)), sum("x", windows=(5,), offset=2), sum("x", windows=(5,), hop=5), sum("x")):
        assert events_reader(Layout(view_of([(asked, [])])[0])) is None
    with mock.patch.object(events, "_FAR", 4):
        assert events_reader(Layout(view_of([(sum("x", windows=(5,)), [])])[0])) is None
    key = key_of(["a"], ["key"])
    text, _ = view_of([(last("s"), [])])
    store = from_table(text, [row], [])
    assert events_reader(Layout(text)).read(store.online, key, store.online.read(text.space, [key])[0], 5) is None
    numbers, _ = view_of([(last_n("x", 2), [])])
    store = from_pushes(numbers, [row], [row], [1])
    assert events_reader(Layout(numbers)).read(store.online, key, store.online.read(numbers.space, [key])[0], 5) is None


@needs_events
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_nothing_beyond_damaged_rows_is_read(data):
    view, _ = view_of([FINITE[3], FINITE[9]])
    rows = data.draw(tables())
    store, key = from_table(view, rows, [], 10), key_of(["a"], ["key"])
    [row] = store.online.read(view.space, [key])
    if row is None:
        return
    changed = bytearray(row)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(2, 23) | st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(0, len(changed)) | st.just(len(changed)))])
    with contextlib.suppress(ValueError, struct.error):
        events_reader(Layout(view)).read(store.online, key, cut, 50)


@needs_events
def test_a_moment_before_rows_are_known_builds_nothing_in_python():
    view, asks = view_of(FINITE, 60)
    rows = [
        {"key": "a", "x": at / 7, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at + 40, "_seq": at}
        for at in range(1, 301)
    ]
    store = from_table(view, known(rows), [200])
    with mock.patch.object(reader, "Scan", side_effect=AssertionError("looked at in Python")):
        for at in (100, 250, 338):
            [(values, age)] = OnlineReader(store.online, [view]).read([{"key": "a"}], [at])
            assert age == [pytest.approx(40e-6)]
            for ask, one in zip(asks, values, strict=True):
                assert same(ask.kind, None if np.isnan(one) else one, feature(ask, rows, "a", at))


@needs_events
def test_a_long_history_is_read_once_and_again_when_it_changes():
    view, _ = view_of([FINITE[0]])
    rows = [
        {"key": "a", "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at, "_seq": at}
        for at in range(1, 401)
    ]
    store, key = from_table(view, rows[:300], []), key_of(["a"], ["key"])
    quick = events_reader(Layout(view))
    [row] = store.online.read(view.space, [key])
    with mock.patch.object(store.online, "read", wraps=store.online.read) as reads:
        assert [quick.read(store.online, key, row, 200)[0][0] for _ in range(3)] == [5.0] * 3
        assert reads.call_count == 1
    [kept] = store.online.read(view.space, [history_key(key)])
    assert stamp_of(kept) == HEAD.unpack_from(row)[-1]
    newer = from_table(view, rows, [])
    [row] = newer.online.read(view.space, [key])
    assert quick.read(newer.online, key, row, 350)[0][0] == 5.0
    assert len(quick._histories) == 1
    assert events.KEPT >= 1


@needs_events
def test_the_histories_that_are_asked_for_stay_at_hand(monkeypatch):
    monkeypatch.setattr(events, "KEPT", 2)
    view, _ = view_of([FINITE[0]])
    rows = [
        {"key": name, "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at, "_seq": at}
        for name in "abc"
        for at in range(1, 301)
    ]
    store, keys = from_table(view, rows, []), [key_of([name], ["key"]) for name in "abc"]
    quick, heads = events_reader(Layout(view)), store.online.read(view.space, keys)
    for place in (0, 1, 0, 2, 0):
        assert quick.read(store.online, keys[place], heads[place], 200)[0] == [5.0, 17.0, 60.0]
    assert list(quick._histories) == [keys[2], keys[0]], "what was asked for longest ago has gone"


@needs_events
@pytest.mark.parametrize("at", [2**63 - 1, 2**63, 2**70, -(2**63), -(2**70)])
@pytest.mark.parametrize("many", [5, 300])
def test_moments_further_off_than_numbers_tell_are_answered_as_in_python(at, many, monkeypatch):
    view, _ = view_of([FINITE[0], FINITE[3], FINITE[9]], 60)
    rows = [
        {"key": "a", "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at + 40, "_seq": at}
        for at in range(1, many)
    ]
    layout, key = Layout(view), key_of(["a"], ["key"])
    store = from_table(view, rows, [])
    [row] = store.online.read(view.space, [key])
    assert events_reader(layout).read(store.online, key, row, at) is None
    found, age = reader._View(view).read(store.online, key, row, at)
    wanted, old = in_python(layout, store, key, row, at)
    np.testing.assert_array_equal(np.array(found, dtype=float), np.array(wanted, dtype=float))
    np.testing.assert_array_equal(age, old)


@needs_events
def test_columns_and_windows_that_can_not_be_are_refused():
    for columns in (-1, -5, 2**62):
        with pytest.raises(ValueError, match="columns"):
            events.Scanner(1e6, columns, -1, ())
    for window in (-1, 2**63 - 1):
        with pytest.raises(ValueError, match="window"):
            events.Scanner(1e6, 1, -1, ((0, -1, -1, 0, window),))
    with pytest.raises(ValueError, match="not there"):
        events.Scanner(1e6, 0, -1, ((1, 0, -1, 0, 5),))
