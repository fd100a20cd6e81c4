"""What once was wrong online: tiles and lookups together, rows known late, events to come, types that disagree."""

from __future__ import annotations

from unittest import mock

import polars as pl
import pytest

from drivetrain.core.clock import DAY
from drivetrain.features.aggregate import count, last, min, sum
from drivetrain.features.online import materialise as stage
from drivetrain.features.online import pack, row
from drivetrain.features.online.layout import events_of
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from features.cases import SCHEMA, frame_of, view_of
from features.stores import FakeStore, Rows

NOW = 10**16


def made(sequence, at=None, **more):
    """A row at the moment of its sequence, known at once."""
    at = sequence if at is None else at
    values = {"key": "a", "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at}
    return {**values, "_seq": sequence, **more}


def view(*features):
    return view_of([(feature, []) for feature in features])[0]


def put(store, of, rows, **more):
    return materialise(store, of, store.tables.put("events", frame_of(rows)), **{"now": NOW, **more})


def read(store, of, at, key="a"):
    """Features of an entity, asked alone and with others: the same."""
    reader = OnlineReader(store.online, [of])
    [(alone, _)] = reader.read([{"key": key}], [at])
    assert str([values for values, _ in reader.read([{"key": key}] * 9, [at] * 9)]) == str([alone] * 9)
    return alone


@pytest.mark.parametrize("size", [3, 128])
@pytest.mark.parametrize("window", [20, 90])
def test_an_event_kept_for_a_lookup_is_in_no_window_it_left(size, window):
    """The only row with ``n > 0`` is older than all tiles: it is looked up, and counted where windows reach it."""
    windows = {"windows": f"{window}us", "hop": "5us"}
    of = view(count(**windows), min("x", **windows), last("n", where=pl.col("n") > 0))
    rows = [made(1, x=-7.0), *[made(at, n=-1) for at in range(2, 201)]]
    with (
        mock.patch.object(pack, "FLAT", size),
        mock.patch.object(pack, "PAGE", size),
        mock.patch.object(row, "PAGE", size),
    ):
        store = FakeStore()
        for cut in (30, 50, 100, 200):
            put(store, of, rows[:cut], grace=10)
            for at in (cut, cut + 3, cut + 12):
                begin = (at - window) // 5 * 5
                seen = [one["x"] for one in rows[:cut] if one["_event_time"] > begin]
                assert read(store, of, at) == [len(seen), -7.0 if begin < 1 else 1.0, 1.0]


def test_a_lookup_passes_over_trimmed_events_that_are_known_to_one_that_is():
    of = view(last("x"), last("n", where=pl.col("n") > 0))
    late = {"n": -1, "_available_at": 1000}
    rows = [made(1), made(2, x=2.0, n=-1), made(3, x=3.0, **late), made(4, at=100, x=4.0, **late)]
    store = FakeStore()
    put(store, of, rows, grace=0)
    assert read(store, of, 200) == [2.0, 1.0]
    assert read(store, of, 1000) == [4.0, 1.0]


def test_an_event_to_come_trims_nothing_that_the_present_needs():
    of = view(count(windows="1h"), last("x"))
    store = FakeStore()
    put(store, of, [made(at, at=NOW - at) for at in range(10)] + [made(10, at=NOW + 900 * DAY, x=9.0)])
    assert read(store, of, NOW) == [10.0, 1.0]
    Pusher(store.online, of, Rows(), types=SCHEMA, clock=lambda: NOW).push([made(11, at=NOW)])
    assert read(store, of, NOW) == [11.0, 1.0]
    assert read(store, of, NOW + 900 * DAY) == [1.0, 9.0]


def test_more_tiles_than_sixteen_bits_count():
    of = view(count(windows="1s", hop="1us"))
    store = FakeStore()
    put(store, of, [made(at) for at in range(70_000)], grace=10)
    assert read(store, of, 70_000) == [70_000.0]
    [head] = store.online.read(of.space, [b"e\xa1a"])
    assert events_of(head) < 20
    put(store, of, [made(at) for at in range(70_005)], grace=10)
    assert read(store, of, 70_005) == [70_005.0]


def test_events_that_become_known_in_another_order_are_in_their_own_tiles():
    of = view(sum("x", windows="10us", hop="5us"))
    store = FakeStore()
    put(store, of, [made(0, at=43, x=100.0, _available_at=47), made(1, at=46), made(2, at=50)], grace=0)
    assert read(store, of, 50) == [102.0]
    assert read(store, of, 55) == [2.0]


class _Killed(BaseException):
    """Nothing catches it, as nothing catches the real one."""


def cut_off(store, of, rows):
    """A materialisation that dies when half of the entities are written."""
    update, written = store.online.update, []

    def once(*args, **more):
        if written:
            raise _Killed
        written.append(update(*args, **more))

    with (
        mock.patch.object(stage, "_SOME", 1),
        mock.patch.object(store.online, "update", once),
        pytest.raises(_Killed),
    ):
        put(store, of, rows)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("forgotten", [True, False])
def test_rows_that_change_after_a_materialisation_died_are_made_good(first, forgotten):
    """What the dead one has written of rows that are gone now is not counted beside those in their place."""
    of = view(count(windows="1h"), sum("x", windows="1h"))
    store = FakeStore()
    rows = [made(at, key="ab"[at % 2]) for at in range(20)]
    if not first:
        put(store, of, rows[:10])
    cut_off(store, of, rows)
    cut_off(store, of, [*rows[:14], *rows[15:], made(20, at=14, x=5.0)])
    if forgotten:
        store.tables.erased |= {("events", version) for version in range(len(store.tables.versions["events"]))}
    left = [one for one in rows if one["_seq"] not in (14, 16, 17)]
    put(store, of, [*left, made(21, at=14, x=7.0), made(22, at=17, key="b")])
    assert read(store, of, 100) == [9.0, 15.0]
    assert read(store, of, 100, "b") == [10.0, 10.0]
    put(store, of, [one for one in left if one["key"] == "b"])
    assert read(store, of, 100)[0] == 0.0
    assert read(store, of, 100, "b") == [9.0, 9.0]
    assert set(store.online.keys(of.space)) == {b"e\xa1b", b"he\xa1b"}


def test_a_version_nobody_remembers_costs_no_push():
    of = view(count(windows="1h"))
    store = FakeStore()
    rows = [made(at, key="ab"[at % 2]) for at in range(10)]
    put(store, of, rows)
    Pusher(store.online, of, Rows(), types=SCHEMA, clock=lambda: NOW).push([made(50), made(51, key="new")])
    store.tables.erased.add(("events", 0))
    put(store, of, [one for one in rows[1:] if one["key"] == "a"])
    assert [read(store, of, 100, key)[0] for key in ("a", "b", "new")] == [5.0, 0.0, 1.0]
