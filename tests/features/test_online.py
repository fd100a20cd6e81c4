from __future__ import annotations

import math
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import FeatureError, StoreError
from drivetrain.features.aggregate import LOOKED_UP, count, last, mean
from drivetrain.features.online import identity, layout
from drivetrain.features.online.identity import identities_of, identity_of
from drivetrain.features.online.materialise import erase, materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.training_set import build
from drivetrain.store.online import LmdbOnline
from features.cases import LASTS, NEW_LASTS, NEW_WINDOWED, SCHEMA, TTL, WINDOWED, frame_of, tables, view_of
from features.oracle import feature, same
from features.stores import FakeStore, Rows, pages_of

_SLOW = settings(deadline=None, max_examples=40)
KEYS = ["a", "b", "c", "nobody", None]
_CHOSEN = st.lists(
    st.sampled_from([*WINDOWED, *LASTS, *NEW_WINDOWED, *NEW_LASTS]), min_size=1, max_size=4, unique_by=id
)
_FINITE = [(made, asks) for made, asks in WINDOWED]


def clean(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def filled(view, rows, chunks, *, grace):
    """A store that the rows came into in chunks, by sequence."""
    store = FakeStore()
    ordered = sorted(rows, key=lambda one: one["_seq"])
    cuts = sorted({min(cut, len(ordered)) for cut in chunks} | {len(ordered)})
    for cut in cuts:
        version = store.tables.put("events", frame_of(ordered[:cut]))
        materialise(store, view, version, now=10**16, grace=grace)
    return store


def check(rows, view, asks, store, ats):
    """Every key at every moment, asked one by one and all together, is what brute force says."""
    reader = OnlineReader(store.online, [view])
    asked = [(key, at) for key in KEYS for at in ats] * 2
    together = reader.read([{"key": key} for key, _ in asked], [at for _, at in asked])
    columns = {"key": [key for key, _ in asked]}, [at for _, at in asked]
    texts = any(isinstance(value, str) for values, _ in together for value in values)
    if texts:
        with pytest.raises(FeatureError, match="is a text"):
            reader.read_columns(*columns)
    else:
        numbers, aged = reader.read_columns(*columns)
        for row, old, (values, ages) in zip(numbers, aged, together, strict=True):
            assert np.array_equal(
                row, [math.nan if value is None else float(value) for value in values], equal_nan=True
            )
            assert np.array_equal(old, ages, equal_nan=True)
    for (key, at), (values, ages) in zip(asked, together, strict=True):
        [(alone, age_alone)] = reader.read([{"key": key}], [at])
        for name, ask, value, single in zip(view.feature_names, asks, values, alone, strict=True):
            expected = feature(ask, rows, key, at)
            assert same(ask.kind, clean(value), expected), (name, key, at, value, expected)
            assert same(ask.kind, clean(single), expected), (name, key, at, single, expected)
        known = [
            one["_event_time"]
            for one in rows
            if one["key"] == key
            and None not in (key, one["_event_time"])
            and one["_available_at"] <= at >= one["_event_time"]
        ]
        age = (at - max(known)) / 1e6 if known else math.nan
        for told in (ages, age_alone):
            assert told == [age] or (math.isnan(age) and math.isnan(told[0]))


@pytest.mark.parametrize("size", [3, 128])
@_SLOW
@given(
    tables(), st.lists(st.integers(0, 30), max_size=4), _CHOSEN, st.lists(st.integers(-5, 230), min_size=1, max_size=4)
)
def test_any_moment_equals_brute_force_in_any_chunks(size, rows, chunks, chosen, ats):
    view, asks = view_of(chosen)
    with pages_of(size):
        check(rows, view, asks, filled(view, rows, chunks, grace=10**6), ats)


@pytest.mark.parametrize("size", [3, 128])
@_SLOW
@given(tables(), st.lists(st.integers(0, 30), max_size=4), _CHOSEN, st.integers(0, 40), st.sampled_from([None, TTL]))
def test_trimmed_rows_answer_as_if_whole(size, rows, chunks, chosen, grace, ttl):
    if ttl is not None:
        chosen = [one for one in chosen if one[0].kind in LOOKED_UP] or [LASTS[0]]
    view, asks = view_of(chosen, ttl)
    with pages_of(size):
        store = filled(view, rows, chunks, grace=grace)
        known = [max(one["_event_time"], one["_available_at"]) for one in rows if one["_event_time"] is not None]
        newest = max(known, default=0)
        check(rows, view, asks, store, [newest, newest + 1, newest + 7, newest + 300])


@_SLOW
@given(tables(), _CHOSEN, st.lists(st.integers(-5, 230), min_size=1, max_size=4))
def test_online_equals_offline_to_the_bit(rows, chosen, ats):
    view, _ = view_of(chosen)
    store = filled(view, rows, [5, 9], grace=10**6)
    asked = [(key, at) for key in KEYS for at in ats]
    labels = pl.DataFrame(
        {"key": [key for key, _ in asked], "_at": [at for _, at in asked]},
        schema={"key": pl.String, "_at": pl.Datetime("us", "UTC")},
    )
    offline = build(labels, [view], [], lambda name: frame_of(rows).lazy()).select(view.feature_names).rows()
    online = OnlineReader(store.online, [view]).read([{"key": key} for key, _ in asked], [at for _, at in asked])
    for (values, _), expected in zip(online, offline, strict=True):
        for name, value, wanted in zip(view.feature_names, values, expected, strict=True):
            if "std_x" in name:
                assert same("std", clean(value), wanted)
            else:
                assert clean(value) == wanted, name


@_SLOW
@given(tables(size=12), st.data(), _CHOSEN)
def test_replaced_and_deleted_rows_are_made_good(rows, data, chosen):
    view, asks = view_of(chosen)
    store = FakeStore()
    materialise(store, view, store.tables.put("events", frame_of(rows)), now=10**16, grace=10**6)
    after = []
    for one in rows:
        fate = data.draw(st.sampled_from(["stay", "stay", "go", "change"]))
        if fate == "change":
            after.append(
                {**one, "key": data.draw(st.sampled_from(["a", "b", "c"])), "x": 99.0, "_seq": one["_seq"] + 100}
            )
        elif fate == "stay":
            after.append(one)
    version = store.tables.put("events", frame_of(after))
    if data.draw(st.booleans()):
        store.tables.erased.add(("events", 0))
    materialise(store, view, version, now=10**16, grace=10**6)
    check(after, view, asks, store, [0, 60, 300])


ROWS = [
    {"key": "a", "x": float(at), "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at, "_seq": at}
    for at in range(1, 400)
]


def test_many_events_are_read_from_pages():
    view, asks = view_of([*WINDOWED, *LASTS])
    store = filled(view, ROWS, [1, 130, 131, 300], grace=10**6)
    assert store.online.spaces()[view.space] > 3
    check(ROWS, view, asks, store, [0, 1, 131, 399, 400, 410, 500])


def test_the_same_version_again_changes_nothing():
    view, _ = view_of(LASTS)
    store = filled(view, ROWS, [], grace=0)
    assert materialise(store, view, 0, now=10**16).rows == 0


def test_a_write_that_fails_leaves_rows_and_mark():
    view, asks = view_of([*WINDOWED, *LASTS])
    store = filled(view, ROWS[:200], [], grace=10**6)
    version = store.tables.put("events", frame_of(ROWS))

    def broken(space, rows, *, mark=None):
        if layout.TRIED not in dict(rows):
            raise OSError("gone")

    with mock.patch.object(store.online, "write", broken), pytest.raises(OSError, match="gone"):
        materialise(store, view, version, now=10**16, grace=10**6)
    check(ROWS[:200], view, asks, store, [250])
    assert materialise(store, view, version, now=10**16, grace=10**6).rows == 199
    check(ROWS, view, asks, store, [399, 420])


def test_a_reader_with_an_old_head_reads_again():
    view, asks = view_of([*WINDOWED, *LASTS])
    store = filled(view, ROWS[:300], [], grace=10**6)
    old = store.online.read_many

    def late(asks):
        rows = old(asks)
        for size in (350, 399):
            materialise(store, view, store.tables.put("events", frame_of(ROWS[:size])), now=10**16, grace=10**6)
        return rows

    with mock.patch.object(store.online, "read_many", late):
        reader = OnlineReader(store.online, [view])
        ((values, _),) = reader.read([{"key": "a"}], [399])
    assert values[0] == feature(asks[0], ROWS, "a", 399)


def test_an_erased_entity_is_unknown():
    view, _ = view_of([(count(windows="17us"), []), (last("x"), [])])
    store = filled(view, ROWS, [200], grace=10**6)
    erase(store, view, layout.key_of(["a"], ["key"]))
    assert store.online.spaces() in ({view.space: 0}, {})
    ((values, ages),) = OnlineReader(store.online, [view]).read([{"key": "a"}], [399])
    assert values[0] == 0
    assert math.isnan(values[1])
    assert math.isnan(ages[0])


def test_a_request_without_its_key_or_with_a_strange_one_is_named():
    view, _ = view_of([(mean("x", windows="17us"), [])])
    reader = OnlineReader(FakeStore().online, [view])
    with pytest.raises(FeatureError, match="lacks the key 'key'"):
        reader.read([{"other": 1}], [0])
    with pytest.raises(FeatureError, match="can't tell entities apart"):
        reader.read([{"key": 1.5}], [0])


@pytest.mark.parametrize("many", [1, 20])
@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row[:40],
        lambda row: row[:200],
        lambda row: row[:-3],
        lambda row: row[:-8],
        lambda row: b"\x07" + row[1:],
        lambda row: b"",
        lambda row: row[:1] + b"\x04" + row[2:] + b"\xdd\x00\x00\x00\x01rubbish",
    ],
)
def test_a_damaged_row_is_named(damage, many):
    view, _ = view_of([WINDOWED[5], LASTS[0]])
    store = filled(view, ROWS[:20], [], grace=10**6)
    [head] = store.online.read(view.space, [b"e\xa1a"])
    store.online.write(view.space, [(b"e\xa1a", damage(head))])
    reader = OnlineReader(store.online, [view])
    with pytest.raises(StoreError, match=r"online row.*(can't be read|another layout)"):
        reader.read([{"key": "a"}] * many, [500] * many)


def test_a_full_store_takes_no_push_and_keeps_what_it_has(tmp_path):
    view, _ = view_of([WINDOWED[0], LASTS[0]])
    online = LmdbOnline(tmp_path, 0.001)
    pusher = Pusher(online, view, Rows(), types=SCHEMA, grace=10**6)
    taken = 0

    def fill():
        nonlocal taken
        while True:
            pusher.push([{**ROWS[0], "key": f"k{taken}", "_seq": taken}])
            taken += 1

    with pytest.raises(StoreError, match=r"is full.*online_gib"):
        fill()
    assert taken > 100
    keys = [{"key": f"k{at}"} for at in range(taken)]
    assert all(values[0] == 1.0 for values, _ in OnlineReader(online, [view]).read(keys, [1] * taken))
    online.close()


def test_a_row_s_key_is_digested_once_for_all_views_of_its_table(monkeypatch):
    digested: list[bytes] = []
    digest = identity.blake2b
    monkeypatch.setattr(identity, "blake2b", lambda text, **more: digested.append(text) or digest(text, **more))
    identity._digest.cache_clear()
    keys = pl.DataFrame({"flight": ["UA 1", "AA 2", "UA 1"], "day": ["1", "1", "2"]})
    first, *others = (identities_of(keys).tolist() for _ in range(4))
    assert len(digested) == 3
    assert all(other == first for other in others)
    assert first == [identity_of(row) for row in keys.rows()]
