from __future__ import annotations

from unittest import mock

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.features import block, events
from drivetrain.features.training_set import build
from features.cases import (
    LASTS,
    NEW_LASTS,
    NEW_WINDOWED,
    REQUESTS,
    TTL,
    UTC,
    WINDOWED,
    frame_of,
    tables,
    view_of,
)
from features.oracle import feature, same

_SLOW = settings(deadline=None, max_examples=100)
_ALL = [*WINDOWED, *LASTS, *NEW_WINDOWED, *NEW_LASTS]


def labels_frame(requests):
    return pl.DataFrame(
        {"key": [key for key, _ in requests], "_at": [at for _, at in requests], "row": range(len(requests))},
        schema={"key": pl.String, "_at": UTC, "row": pl.Int64},
    )


def check(rows, requests, view, asks, stored=lambda frame: frame):
    labels = stored(labels_frame(requests))
    made = build(labels, [view], [], lambda name: stored(frame_of(rows)).lazy())
    assert made.select(labels.columns).equals(labels)
    assert made.columns == [*labels.columns, *view.feature_names]
    for name, ask in zip(view.feature_names, asks, strict=True):
        for (key, at), found in zip(requests, made.get_column(name).to_list(), strict=True):
            expected = feature(ask, rows, key, at)
            assert same(ask.kind, found, expected), (name, key, at, found, expected)


@_SLOW
@given(tables(), REQUESTS)
def test_windows_equal_brute_force(rows, requests):
    check(rows, requests, *view_of(WINDOWED))


@_SLOW
@given(tables(), REQUESTS, st.sampled_from([None, TTL]))
def test_lookups_equal_brute_force(rows, requests, ttl):
    check(rows, requests, *view_of(LASTS, ttl))


@_SLOW
@given(tables(), REQUESTS, st.sampled_from([0, -73]), st.sampled_from([1, 10, 1 << 20]))
def test_offsets_hops_and_comparing_kinds_equal_brute_force(rows, requests, epoch, size):
    for row in rows:
        if row["_event_time"] is not None:
            row.update({name: row[name] + epoch for name in ("_event_time", "_available_at")})
    with mock.patch.object(block, "_SIZE", size):
        check(rows, [(key, at + epoch) for key, at in requests], *view_of(NEW_WINDOWED))


@_SLOW
@given(tables(), REQUESTS, st.sampled_from([None, TTL]))
def test_the_newest_rows_equal_brute_force(rows, requests, ttl):
    check(rows, requests, *view_of(NEW_LASTS, ttl))


@_SLOW
@given(tables(), REQUESTS, st.lists(st.sampled_from(_ALL), min_size=1, max_size=3, unique_by=id))
def test_mixed_views_equal_brute_force(rows, requests, chosen):
    check(rows, requests, *view_of(chosen))


@_SLOW
@given(tables(), REQUESTS, st.sampled_from([1, 3, 1 << 18]), st.integers(1, 5), st.sampled_from([_ALL, LASTS]))
def test_whole_numbers_as_keys_in_chunks_read_in_parts_equal_brute_force(rows, requests, part, chunk, chosen):
    numbers = {"a": 41, "b": -3, "c": 0, "nobody": 7, None: None}

    def stored(frame):
        frame = frame.with_columns(pl.col("key").replace_strict(numbers, return_dtype=pl.Int64))
        return pl.concat([frame.clear(), *frame.iter_slices(chunk)], rechunk=False)

    with mock.patch.object(events, "_PART", part):
        check(rows, requests, *view_of(chosen), stored)
