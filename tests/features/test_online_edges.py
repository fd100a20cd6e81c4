"""What once was wrong online: tiles and lookups together, rows known late, events to come, types that disagree."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime
from unittest import mock

import polars as pl
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import RequestError, StoreError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.features.aggregate import count, last, min, share, sum
from drivetrain.features.entity import Entity
from drivetrain.features.online import materialise as stage
from drivetrain.features.online.identity import identities_of, identity_of
from drivetrain.features.online.layout import HEAD, LAYOUT, events_of
from drivetrain.features.online.materialise import erase, materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.view import FeatureView
from drivetrain.store.online import LmdbOnline
from features.cases import SCHEMA, frame_of, view_of
from features.stores import FakeStore, Rows, pages_of

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
    with pages_of(size):
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


@pytest.mark.parametrize(("at", "expected"), [(104, [2.0, 1.0]), (105, [2.0, math.nan]), (112, [math.nan] * 2)])
def test_numbers_expire_without_a_look_at_the_tail(at, expected):
    [of] = [replace(view(last("x"), last("n", where=pl.col("n") > 0)), ttl=10)]
    store = FakeStore()
    put(store, of, [made(1, at=95), made(2, at=102, x=2.0, n=-1)])
    [head] = store.online.read(of.space, [b"e\xa1a"])
    begin, end = HEAD.unpack_from(head)[4:6]
    store.online.write(of.space, [(b"e\xa1a", head[:begin] + b"\xc1" * (end - begin))])
    assert str(read(store, of, at)) == str(expected)


@pytest.mark.parametrize("number", [LAYOUT - 1, LAYOUT + 1])
def test_a_row_of_another_layout_is_refused(number):
    of = view(last("x"), count(windows="1h"))
    store = FakeStore()
    put(store, of, [made(1)])
    [head] = store.online.read(of.space, [b"e\xa1a"])
    store.online.write(of.space, [(b"e\xa1a", bytes([number]) + head[1:])])
    with pytest.raises(StoreError, match="another layout"):
        read(store, of, 5)
    with pytest.raises(StoreError, match=f"layout {number}"):
        put(store, of, [made(1), made(2)])


@pytest.mark.parametrize("number", [str, lambda at: at])
def test_entities_are_written_in_the_order_of_their_keys(number):
    """So that a space that is filled has nothing to read where the next rows will lie."""
    of = view(count(windows="1h"))
    store = FakeStore()
    numbers = [3, 70_000, 12, 100, 9, 30, 40_000, 128, 255, 256]
    rows = [{**made(at), "key": number(one)} for at, one in enumerate(numbers)]
    store.tables.put("events", pl.DataFrame(rows, schema={**SCHEMA, "key": pl.DataType.from_python(type(number(1)))}))
    with mock.patch.object(stage, "_SOME", 3):
        materialise(store, of, 0, now=NOW)
    keys = list(store.online.keys(of.space))
    assert len(keys) == len(numbers)
    assert keys == sorted(keys)


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
    assert set(store.online.keys(of.space)) == {b"e\xa1b"}


def test_a_version_nobody_remembers_costs_no_push():
    of = view(count(windows="1h"))
    store = FakeStore()
    rows = [made(at, key="ab"[at % 2]) for at in range(10)]
    put(store, of, rows)
    Pusher(store.online, of, Rows(), types=SCHEMA, clock=lambda: NOW).push([made(50), made(51, key="new")])
    store.tables.erased.add(("events", 0))
    put(store, of, [one for one in rows[1:] if one["key"] == "a"])
    assert [read(store, of, 100, key)[0] for key in ("a", "b", "new")] == [5.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": "12"}, "'x' has the wrong type"),
        ({"b": 5}, "'b' has the wrong type"),
        ({"n": "5"}, "'n' has the wrong type"),
        ({"n": True}, "'n' has the wrong type"),
        ({"_seq": "1"}, "'_seq' has the wrong type"),
        ({"key": 1}, "'key' has the wrong type"),
        ({"n": 1 << 63}, "'n' is too large; found 64 bits"),
        ({"_event_time": 10**18}, "'_event_time' is no moment"),
    ],
)
def test_the_types_of_the_table_hold_where_no_contract_says_any(change, said):
    of = view(sum("x", windows="1h"), share("b", windows="1h"), last("n"))
    with pytest.raises(RequestError, match=said):
        Pusher(FakeStore().online, of, Rows(), types=SCHEMA).push([made(1, **change)])


def test_a_text_is_added_to_nothing_even_where_nobody_knows_the_types():
    with pytest.raises(RequestError, match=r"'x' has the wrong type.*expected a number"):
        Pusher(FakeStore().online, view(sum("x", windows="1h")), Rows()).push([made(1, x="12")])


@pytest.mark.parametrize("strange", ["5", True])
@pytest.mark.parametrize("packed", [True, False])
def test_what_was_pushed_before_the_table_came_spoils_nobody(strange, packed):
    """Nobody knew yet that ``n`` is a number."""
    of = view(last("n"))
    store = FakeStore()
    with mock.patch("drivetrain.features.online.push.PENDING_MOST", 0 if packed else 48):
        Pusher(store.online, of, Rows()).push([made(9, key="z", n=strange)])
    put(store, of, [made(1, n=7), made(2, key="z", n=8)])
    assert read(store, of, 5) == [7.0]
    assert read(store, of, 5, "z") == [8.0]
    Pusher(store.online, of, Rows()).push([made(10, n=strange)])
    assert read(store, of, 9) == [7.0]
    value = read(store, of, 10)[0]
    assert value == 1.0 if strange is True else math.isnan(value)
    put(store, of, [made(1, n=7), made(2, key="z", n=8), made(10, n=6), made(9, key="z", n=5)])
    assert [read(store, of, 10, key)[0] for key in "az"] == [6.0, 5.0]


def test_a_view_with_a_time_of_its_own_knows_rows_when_the_table_does():
    source = Rows(key=("id",), time="recorded", available=None, delay=5)
    of = FeatureView(
        name="v", entity=Entity("thing", "key"), source=source, features=[count(windows="1d")], time="happened"
    )
    store = FakeStore()
    Pusher(store.online, of, source).push([{"id": 1, "key": "a", "happened": 10, "recorded": 100}])
    assert [read(store, of, at)[0] for at in (99, 104, 105)] == [0.0, 0.0, 1.0]


STRICT = Rows(
    key=("id",),
    time="day",
    available=None,
    contract=Contract(
        {
            "id": Column("int", nullable=False),
            "day": Column("date", low="2024-01-01"),
            "card": Column("string", pattern=r"^\w$"),
            "amount": Column("float", nullable=False),
            "other": Column("int", high=3),
        },
        checks={"no more than paid": pl.col("amount") <= pl.col("paid"), "some": pl.col("amount") != 0},
    ),
)
SPENT = FeatureView(name="spent", entity=Entity("card", "card"), source=STRICT, features=[sum("amount", windows="1d")])
PAID = {"id": 1, "day": "2024-05-01", "card": "c", "amount": 2.0, "paid": 2.5, "other": 3}
MIDNIGHT = 1_714_521_600_000_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": math.inf}, "'amount' is infinite"),
        ({"amount": math.nan}, "'amount' is null"),
        ({"amount": 10**400}, "'amount' is too large"),
        ({"id": 1 << 70}, "'id' is too large"),
        ({"id": 1e30}, "'id' has the wrong type"),
        ({"other": 4}, "'other' is too large; found 4"),
        ({"card": "c\n"}, "'card' does not match"),
        ({"day": "2023-12-31"}, "'day' is too small"),
        ({"day": "2024-05-01T10:00:00Z"}, "'day' is no date"),
        ({"day": datetime(2024, 5, 1, 10, tzinfo=UTC)}, "'day' is no date"),
        ({"day": -(10**30)}, "'day' is too large|'day' has the wrong type"),
        ({"paid": 1.0}, "it breaks 'no more than paid'; found {'amount': 2.0, 'paid': 1.0}"),
        ({"amount": 0}, "it breaks 'some'"),
        ({"paid": "much"}, "can't be made of what was pushed|values of several types"),
    ],
)
def test_a_row_that_its_source_would_set_aside_is_not_pushed(change, said):
    store = FakeStore()
    with pytest.raises(RequestError, match=said):
        Pusher(store.online, SPENT, STRICT).push([PAID, {**PAID, "id": 2, **change}])
    assert store.online.spaces().get(SPENT.space, 0) == 0


@pytest.mark.parametrize("day", ["2024-05-01", date(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC)])
@pytest.mark.parametrize("paid", [{}, {"paid": None}, {"paid": 3}])
def test_a_row_may_be_pushed_with_what_the_features_need_alone(day, paid):
    store = FakeStore()
    event = {name: PAID[name] for name in ("id", "card", "amount")}
    Pusher(store.online, SPENT, STRICT).push([{**event, "day": day, **paid}])
    [(values, ages)] = OnlineReader(store.online, [SPENT]).read([{"card": "c"}], [MIDNIGHT + 1_000_000])
    assert (values, ages) == ([2.0], [1.0])


def test_keys_of_several_columns_are_told_apart_whatever_is_in_them():
    rows = [("a|b", "c"), ("a", "b|c"), ("a\\", "b|c"), ("a\\|b", "c"), ("a", "b")]
    known = [identity_of(row) for row in rows]
    assert len(set(known)) == len(rows)
    assert identities_of(pl.DataFrame(rows, schema=["one", "two"], orient="row")).tolist() == known


def test_entities_that_others_write_all_the_time_are_written_in_smaller_steps():
    of = view(count(windows="1h"), last("x"))
    store = FakeStore()
    update = store.online.update

    def contended(space, change, **more):
        kept = []
        update(space, lambda read: kept.extend(change(read)) or [])
        if len(kept) <= 2 * 3:  # heads and histories of three entities
            return update(space, change, **more)
        for _ in range(100):
            update(space, lambda read: list(change(read)) and [])
        raise StoreError("other writers changed the same rows every time")

    rows = [made(at, key=f"k{at % 21}", x=float(at)) for at in range(100)]
    with mock.patch.object(store.online, "update", contended):
        put(store, of, rows[:60])
        put(store, of, rows)
    for key in range(21):
        own = [one for one in rows if one["key"] == f"k{key}"]
        assert read(store, of, 100, f"k{key}") == [len(own), own[-1]["x"]]


def test_no_step_writes_more_events_than_a_server_takes_at_once():
    of = view(count(windows="1h"), last("x"))
    store = FakeStore()
    rows = [made(at, key=f"k{at % 7}", x=float(at)) for at in range(70)]
    with (
        mock.patch.object(stage, "_NUMBERS", 120),
        mock.patch.object(store.online, "update", side_effect=store.online.update) as update,
    ):
        put(store, of, rows)
    assert update.call_count >= 4
    assert [read(store, of, 100, f"k{key}") for key in range(7)] == [[10.0, 63.0 + key] for key in range(7)]


def test_a_push_that_comes_while_an_entity_is_erased_leaves_no_page_behind(tmp_path):
    of = view(count(windows="1h"))
    store = FakeStore(LmdbOnline(tmp_path, 0.01))
    put(store, of, [made(at) for at in range(10)])
    read_before, pushed = store.online.read, []

    def read_late(space, keys):
        found = read_before(space, keys)
        if not pushed:
            pushed.append(Pusher(store.online, of, Rows(), types=SCHEMA).push([made(at) for at in range(100, 150)]))
        return found

    with pages_of(4):
        with mock.patch.object(store.online, "read", read_late):
            erase(store, of, b"e\xa1a")
        erase(store, of, b"e\xa1a")
    assert store.online.keys(of.space) == []
    store.online.close()
