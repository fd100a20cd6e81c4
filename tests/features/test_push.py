from __future__ import annotations

import math
from dataclasses import dataclass, field
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
from drivetrain.features.online import layout, pack, push, row
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.view import FeatureView
from features.cases import LASTS, WINDOWED, frame_of, tables, view_of
from features.stores import FakeStore
from features.test_online import check

_SLOW = settings(deadline=None, max_examples=60)
_CHOSEN = st.lists(st.sampled_from([*WINDOWED, *LASTS]), min_size=1, max_size=4, unique_by=id)


@dataclass(frozen=True)
class Rows:
    """A source as a pusher sees it."""

    name: str = "events"
    key: tuple[str, ...] = ("_seq",)
    time: str | None = "_event_time"
    available: str | None = "_available_at"
    delay: int = 0
    contract: Contract = field(default_factory=Contract)


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
        mock.patch.object(pack, "FLAT", size),
        mock.patch.object(pack, "PAGE", size),
        mock.patch.object(row, "PAGE", size),
        mock.patch.object(push, "PENDING_MOST", most),
    ):
        store = FakeStore()
        pusher = Pusher(store.online, view, Rows(), grace=10**6)
        landed, pushed = 0, []
        for _ in range(data.draw(st.integers(1, 5))):
            if data.draw(st.booleans()):
                landed = data.draw(st.integers(landed, len(ordered)))
                version = store.tables.put("events", frame_of(ordered[:landed]))
                materialise(store, view, version, now=0, grace=10**6)
            elif rows:
                some = data.draw(st.lists(st.sampled_from(rows), max_size=8, unique_by=lambda one: one["_seq"]))
                pusher.push(some)
                pushed = [one for one in pushed if one not in some] + some
        sure = ordered[:landed]
        seen = sure + [
            {**one, "_seq": 1000 + at} for at, one in enumerate(one for one in pushed if one not in sure)
        ]
        check(seen, view, asks, store, ats)
        version = store.tables.put("events", frame_of(ordered))
        materialise(store, view, version, now=0, grace=10**6)
        check(ordered, view, asks, store, ats)
