"""Features over a real server: the same rows, the same answers, one round trip a request."""

from __future__ import annotations

from contextlib import closing
from unittest import mock

import pytest

from drivetrain.adapters.redis.online import RedisOnline
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from features.cases import LASTS, NEW_LASTS, NEW_WINDOWED, SCHEMA, WINDOWED, frame_of, view_of
from features.stores import FakeStore, Rows
from features.test_online import check
from features.test_stores import ATS, ROWS

pytestmark = pytest.mark.services


@pytest.fixture
def store(redis_server):
    with closing(RedisOnline(redis_server.fresh())) as online:
        yield FakeStore(online)


@pytest.mark.parametrize("asked", [[*WINDOWED, *LASTS], [*NEW_WINDOWED, *NEW_LASTS]], ids=["records", "scanned"])
def test_tables_and_pushes_over_redis_equal_brute_force(store, asked):
    view, asks = view_of(asked)
    materialise(store, view, store.tables.put("events", frame_of(ROWS[:300])), now=0, grace=10**6)
    Pusher(store.online, view, Rows(), types=SCHEMA, grace=10**6).push(ROWS[200:500])
    check(ROWS[:500], view, asks, store, ATS[2:])
    materialise(store, view, store.tables.put("events", frame_of(ROWS)), now=0, grace=10**6)
    check(ROWS, view, asks, store, ATS[2:])


def test_a_request_is_one_round_trip(store):
    views = [view_of([one])[0] for one in WINDOWED[:3]]
    for view in views:
        materialise(store, view, store.tables.put("events", frame_of(ROWS[:60])), now=0, grace=10**6)
    reader = OnlineReader(store.online, views)
    with mock.patch.object(RedisOnline, "read_many", autospec=True, side_effect=RedisOnline.read_many) as asked:
        reader.read([{"key": "a"}], [1300])
        reader.read([{"key": key} for key in "abc"] * 10, [1300] * 30)
    assert asked.call_count == 2
