from __future__ import annotations

import builtins
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import RequestError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.features.aggregate import count, last, mean, sum
from drivetrain.features.entity import Entity
from drivetrain.features.online import layout, push
from drivetrain.features.online.materialise import erase, materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.view import FeatureView
from features.cases import LASTS, NEW_LASTS, NEW_WINDOWED, SCHEMA, WINDOWED, frame_of, tables, view_of
from features.stores import FakeStore, Rows, pages_of
from features.test_online import check

_SLOW = settings(deadline=None, max_examples=60)
_CHOSEN = st.lists(
    st.sampled_from([*WINDOWED, *LASTS, *NEW_WINDOWED, *NEW_LASTS]), min_size=1, max_size=4, unique_by=id
)


@_SLOW
@given(
    st.data(),
    tables(),
    _CHOSEN,
    st.lists(st.integers(-5, 230), min_size=1, max_size=4),
    st.sampled_from([(3, 2), (128, 48)]),
)
def test_table_and_pushes_in_any_order_equal_brute_force(data, rows, chosen, ats, sizes):
    view, asks = view_of(chosen)
    rows = [one for one in rows if one["_event_time"] is not None]
    ordered = sorted(rows, key=lambda one: one["_seq"])
    size, most = sizes
    with (
        pages_of(size),
        mock.patch.object(push, "PENDING_MOST", most),
    ):
        store = FakeStore()
        pusher = Pusher(store.online, view, Rows(), types=SCHEMA, grace=10**6)
        landed, pushed = 0, []
        for _ in range(data.draw(st.integers(1, 5))):
            if data.draw(st.booleans()):
                landed = data.draw(st.integers(landed, len(ordered)))
                version = store.tables.put("events", frame_of(ordered[:landed]))
                materialise(store, view, version, now=10**16, grace=10**6)
            elif rows:
                some = data.draw(st.lists(st.sampled_from(rows), max_size=8, unique_by=lambda one: one["_seq"]))
                pusher.push(some)
                pushed = [one for one in pushed if one not in some] + some
        sure = ordered[:landed]
        seen = sure + [{**one, "_seq": 1000 + at} for at, one in enumerate(one for one in pushed if one not in sure)]
        check(seen, view, asks, store, ats)
        version = store.tables.put("events", frame_of(ordered))
        materialise(store, view, version, now=10**16, grace=10**6)
        check(ordered, view, asks, store, ats)


DECLARED = Rows(
    key=("id",),
    time="time",
    available=None,
    contract=Contract(
        {
            "id": Column("int", nullable=False),
            "time": Column("time"),
            "card": Column("string"),
            "amount": Column("float", low=0, high=1000),
            "place": Column("string", among=("shop", "web")),
            "zip": Column("string", pattern=r"^\d{5}$"),
        }
    ),
)
CARD = FeatureView(
    name="card",
    entity=Entity("card", "card"),
    source=DECLARED,
    features=[
        count(windows="1d"),
        sum("amount", windows="1d"),
        mean(pl.col("amount") * 2, windows="1d", name="double"),
        last("place"),
        last("zip"),
    ],
)
EVENT = {"id": 1, "time": "2024-05-01T10:00:00Z", "card": "c", "amount": 12.5, "place": "shop", "zip": "10115"}
NOON = 1_714_564_800_000_000


def pusher(store, **more):
    return Pusher(store.online, CARD, DECLARED, **more)


def read(store, at=NOON, card="c"):
    return OnlineReader(store.online, [CARD]).read([{"card": card}], [at])[0][0]


def test_the_next_read_sees_a_push():
    store = FakeStore()
    assert pusher(store).push([EVENT, {**EVENT, "id": 2, "amount": 7, "place": None}]) == 2
    assert read(store) == [2.0, 19.5, 19.5, None, "10115"]
    assert read(store, NOON + 24 * 3_600_000_000)[0] == 0.0
    assert read(store, NOON - 4 * 3_600_000_000)[0] == 0.0


def test_a_push_twice_counts_once_and_the_later_stands():
    store = FakeStore()
    pusher(store).push([EVENT])
    pusher(store).push([{**EVENT, "amount": 20}])
    assert read(store)[:2] == [1.0, 20.0]


def test_moments_may_be_said_in_every_way():
    store = FakeStore()
    ways = ["2024-05-01T10:00:00Z", "2024-05-01T12:00:00+02:00", 1_714_557_600_000_000]
    pusher(store).push([{**EVENT, "id": at, "time": way} for at, way in enumerate(ways)])
    assert read(store, 1_714_557_600_000_000)[0] == 3.0
    assert read(store, 1_714_557_599_999_999)[0] == 0.0


def test_an_entity_that_is_null_is_left_out():
    store = FakeStore()
    assert pusher(store).push([{**EVENT, "card": None}, EVENT]) == 1


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"amount": "12"}, "events[1].amount", "wrong type.*found '12'.*expected float"),
        ({"amount": -1.0}, "events[1].amount", "too small.*found -1.0.*at least 0"),
        ({"amount": 2000}, "events[1].amount", "too large"),
        ({"place": "moon"}, "events[1].place", "none of its values.*'moon'"),
        ({"zip": "1"}, "events[1].zip", "does not match"),
        ({"id": None}, "events[1].id", "'id' is null"),
        ({"id": 2.5}, "events[1].id", "wrong type"),
        ({"time": "yesterday"}, "events[1].time", "no moment"),
        ({"time": None}, "events[1].time", "no moment"),
        ({"card": 7}, "events[1].card", "wrong type"),
        ({"time": "2999-01-01T00:00:00Z"}, None, "in the future"),
    ],
)
def test_bad_events_are_named_and_nothing_is_kept(change, field, said):
    store = FakeStore()
    with pytest.raises(RequestError, match=said) as refused:
        pusher(store).push([EVENT, {**EVENT, "id": 2, **change}])
    assert refused.value.field == field
    assert read(store)[0] == 0.0


def test_an_event_that_lacks_its_key_is_named():
    with pytest.raises(RequestError, match="lacks 'id'"):
        pusher(FakeStore()).push([{name: value for name, value in EVENT.items() if name != "id"}])


def test_an_event_older_than_what_the_row_tells_apart_is_refused():
    store = FakeStore()
    old = pusher(store, grace=0)
    with mock.patch.object(push, "PENDING_MOST", 2):
        for day in range(1, 9):
            old.push([{**EVENT, "id": day, "time": f"2024-05-{day:02}T10:00:00Z"}])
    with pytest.raises(RequestError, match=r"older than .* found 2024-05-01T10:00:00Z.*expected later than"):
        old.push([{**EVENT, "id": 99}])


@pytest.mark.parametrize("windows", [{"windows": "all"}, {"windows": "2d", "hop": "1d"}])
def test_the_table_confirms_pushes_however_old(windows):
    """What is in moments can't be taken apart: where trimmed events still count, pushes wait for the table."""
    view = FeatureView(name="v", entity=Entity("card", "card"), source=DECLARED, features=[sum("amount", **windows)])
    store = FakeStore()
    events = [
        {**EVENT, "id": day, "time": NOON + day * 86_400_000_000, "amount": float(day * day)} for day in range(1, 20)
    ]
    fresh = Pusher(store.online, view, DECLARED, grace=0)
    with mock.patch.object(push, "PENDING_MOST", 2):
        for event in events:
            fresh.push([event])
    times = [event["time"] for event in events]
    frame = pl.DataFrame(events).with_columns(
        pl.Series("_event_time", times).cast(pl.Datetime("us", "UTC")),
        pl.Series("_available_at", times).cast(pl.Datetime("us", "UTC")),
        pl.Series("_seq", range(len(events)), dtype=pl.Int64),
    )
    reader = OnlineReader(store.online, [view])
    days = 19 if windows["windows"] == "all" else 3  # two days, and what is left of the third up to its midnight
    expected = float(builtins.sum(event["amount"] for event in events[-days:]))
    assert reader.read([{"card": "c"}], [times[-1]])[0][0] == [expected]
    for landed in (7, 13, 19):
        materialise(store, view, store.tables.put("events", frame.head(landed)), now=10**16, grace=0)
        assert reader.read([{"card": "c"}], [times[-1]])[0][0] == [expected]


def test_an_erased_entity_leaves_no_key_behind():
    store = FakeStore()
    with pages_of(2), mock.patch.object(push, "PENDING_MOST", 2):
        for at in range(300):
            pusher(store).push([{**EVENT, "id": at, "time": NOON + at}])
    assert store.online.spaces()[CARD.space] > 1
    erase(store, CARD, layout.key_of(["c"], ["card"]))
    assert store.online.spaces().get(CARD.space, 0) == 0
