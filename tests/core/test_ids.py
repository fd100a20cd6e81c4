from __future__ import annotations

import itertools
import uuid

from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core import ids


def test_ids_are_uuids_of_version_seven():
    for _ in range(100):
        made = uuid.UUID(ids.new_id())
        assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_ids_are_all_different():
    assert len({ids.new_id() for _ in range(10_000)}) == 10_000


def test_text_order_is_time_order(monkeypatch):
    made = []
    for millis in (0, 1, 2**20, 1_700_000_000_000, 2**48 - 1):
        monkeypatch.setattr(ids.time, "time_ns", lambda millis=millis: millis * 1_000_000)
        made.append(ids.new_id())
        assert int(made[-1].replace("-", "")[:12], 16) == millis
    assert made == sorted(made)


@given(st.lists(st.text("ab"), min_size=1, max_size=4), st.lists(st.text("ab"), min_size=1, max_size=4))
def test_derived_ids_are_equal_for_equal_parts_only(one, other):
    assert (ids.derived_id(*one) == ids.derived_id(*other)) == (one == other)
    assert uuid.UUID(ids.derived_id(*one)).version == 5


def test_ids_made_one_after_the_other_sort_so():
    made = [ids.new_id() for _ in range(2_000)]
    assert sum(first < second for first, second in itertools.pairwise(made)) >= 1_990
    assert len(set(made)) == 2_000
