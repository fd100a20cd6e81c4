"""Heads read by compiled code say what those read in Python say, whatever their bytes are."""

from __future__ import annotations

import os
import struct
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.features.online import heads
from drivetrain.features.online.heads import CompiledHeads, PlainHeads, compiled, heads_of
from drivetrain.features.online.layout import HEAD, NEVER, Layout, key_of
from drivetrain.features.online.row import RowReader
from features import cases
from features.cases import tables, view_of
from features.test_equality import HOPPING, from_pushes, from_table, known

needs_kernel = pytest.mark.skipif(
    not compiled() and "DRIVETRAIN_REQUIRE_SERVICES" not in os.environ, reason="installed without a compiler"
)
VIEWS = [
    view_of([*cases.WINDOWED, *cases.LASTS])[0],
    view_of(cases.LASTS, cases.TTL)[0],
    view_of(HOPPING)[0],
    view_of([cases.WINDOWED[3]])[0],
    view_of(cases.NEW_LASTS)[0],
    view_of(cases.NEW_WINDOWED)[0],
]
LAYOUTS = [Layout(view) for view in VIEWS]
UNKNOWN = [RowReader(layout).unknown for layout in LAYOUTS]


def both():
    return CompiledHeads(LAYOUTS, UNKNOWN), PlainHeads(LAYOUTS, UNKNOWN)


@st.composite
def rows_of_entity(draw):
    """A head of each view, or none: of one entity of a table that was put in, or pushed."""
    rows = draw(tables())
    key = key_of([draw(st.sampled_from(["a", "b", "nobody"]))], ["key"])
    made = []
    for view in VIEWS:
        pushed = draw(st.booleans())
        store = from_pushes(view, rows, known(rows), [3]) if pushed else from_table(view, rows, [4], grace=10)
        made += store.online.read(view.space, [key])
    return made


@st.composite
def damaged(draw):
    """The same, some of them with bytes changed, cut off or added."""
    made = draw(rows_of_entity())
    for at, row in enumerate(made):
        if row is None or not draw(st.booleans()):
            continue
        changed = bytearray(row)
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.integers(0, len(changed) - 8) | st.sampled_from([0, 4, 12, 24, 32]))
            word = draw(st.integers(0, 7).map(lambda bit: 1 << bit) | st.sampled_from([0, 255]))
            changed[place] = word
        end = draw(st.integers(0, len(changed)) | st.just(len(changed)))
        made[at] = bytes(changed[:end]) + draw(st.sampled_from([b"", bytes(8), bytes(3)]))
    return made


def means_nothing(row):
    """Whether a row names no newest event: both leave it to whoever looks closer, or tell what can't be told."""
    return row is not None and len(row) >= HEAD.size and struct.unpack_from("<q", row, 24)[0] == NEVER


def check(rows, at):
    rows = [None if means_nothing(row) else row for row in rows]
    one, other = both()
    (values, ages, left), (wanted, old, others) = one.read(rows, at), other.read(rows, at)
    assert left == others
    np.testing.assert_array_equal(np.array(values), np.array(wanted, dtype=float))
    np.testing.assert_array_equal(np.array(ages), np.array(old))
    return left


@needs_kernel
@settings(deadline=None, max_examples=50)
@given(rows_of_entity(), st.integers(-5, 230))
def test_whole_heads(rows, at):
    check(rows, at)


@needs_kernel
@settings(deadline=None, max_examples=120)
@given(damaged(), st.integers(-5, 230) | st.sampled_from([-(1 << 62), 1 << 62]))
def test_damaged_heads_are_left_over_and_nothing_beyond_them_is_read(rows, at):
    with np.errstate(all="ignore"):
        check(rows, at)


@needs_kernel
@settings(deadline=None, max_examples=10)
@given(st.lists(rows_of_entity(), min_size=1, max_size=30), st.data())
def test_many_requests(entities, data):
    ats = np.array([data.draw(st.integers(-5, 230)) for _ in entities])
    rows = [entity[view] for view in range(len(VIEWS)) for entity in entities]
    one, other = both()
    features, ages, left = one.fill(rows, ats)
    for at, entity in enumerate(entities):
        values, aged, others = other.read(entity, int(ats[at]))
        absent = [view for view, row in enumerate(entity) if row is None]
        assert sorted(view for view, request in left if request == at) == sorted(others + absent)
        for view, layout in enumerate(LAYOUTS):
            if view in others + absent:
                continue
            begin = sum(len(before.view.columns) for before in LAYOUTS[:view])
            here = slice(begin, begin + len(layout.view.columns))
            np.testing.assert_array_equal(features[at, here], np.array(values[here], dtype=float))
            assert ages[at, view] == aged[view]


@needs_kernel
def test_rows_may_lie_where_a_store_has_them():
    [row] = from_table(VIEWS[3], [event(5), event(9)], []).online.read(VIEWS[3].space, [key_of(["a"], ["key"])])
    one = CompiledHeads(LAYOUTS[3:4], UNKNOWN[3:4])
    assert one.read([memoryview(row)], 10)[:2] == one.read((row,), 10)[:2]
    assert one.read([row], 10)[1] == [1e-6]


@needs_kernel
def test_what_is_no_row_is_refused():
    one, _ = both()
    with pytest.raises(ValueError, match="not a row for each view"):
        one.read([None], 0)
    with pytest.raises(ValueError, match="not a row for each view of each request"):
        one.fill([None] * (len(VIEWS) + 1), np.array([1]))
    with pytest.raises(TypeError):
        one.read([1] * len(VIEWS), 0)
    with pytest.raises(ValueError, match="another size"):
        one.fill([None] * len(VIEWS), np.array([1, 2]))


def test_without_a_compiler_python_reads():
    with mock.patch.object(heads, "Reader", None):
        assert not compiled()
        assert isinstance(heads_of(LAYOUTS, UNKNOWN), PlainHeads)


@needs_kernel
def test_compiled_where_it_was_compiled():
    assert isinstance(heads_of(LAYOUTS, UNKNOWN), CompiledHeads)


def event(at):
    return {"key": "a", "x": 1.0, "n": 1, "b": True, "s": "p", "_event_time": at, "_available_at": at, "_seq": at}
